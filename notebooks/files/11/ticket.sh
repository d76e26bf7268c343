# Commits what a colleague committed in the ticket of lab 11. Read this file after you have repaired the build.
if ! git log --format=%s | grep -q '^Tidy the build$'; then
  # for those who left out the first break
  grep -q on-failure buildspec.yml || sed -i.bak 's/^  build:/  build:\
    on-failure: ABORT/' buildspec.yml
  sed -i.bak 's/sh test\.sh/sh tests.sh/' buildspec.yml
  sed -i.bak 's/demo-app-repo:\$TAG/demo-app-repo:$VERSION/' gate.yml
  git commit -q -a -m "Tidy the build"
fi
git log -1 --format=%s
