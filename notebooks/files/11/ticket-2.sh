# Does what the auditors did in ticket 11.2. Read this file after you have repaired the roles.
if ! git log --format=%s | grep -q '^Welcome the visitors$'; then
  sed '/"ecr:PutImage"/d' build-policy.json > build-policy-new.json
  sed '/"ecs:UpdateService"/d; s/"ecs:TagResource",/"ecs:TagResource"/' pipeline-policy.json > pipeline-policy-new.json
  for who in build pipeline; do
    aws iam put-role-policy --role-name demo-app-$who --policy-name work --policy-document file://$who-policy-new.json
  done
  # for those who left the first ticket open
  test -e tests.sh || sed -i.bak 's/sh tests\.sh/sh test.sh/' buildspec.yml
  grep -q -e '- VERSION' buildspec.yml || sed -i.bak 's/demo-app-repo:\$VERSION/demo-app-repo:$TAG/' gate.yml
  sed -i.bak 's|<p>.*|<p>Welcome to demo-app.</p>|' index.html
  git commit -q -a -m "Welcome the visitors"
fi
git log -1 --format=%s
