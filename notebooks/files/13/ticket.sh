# Does what the auditors did in the ticket of lab 13. Read this file after you have repaired the roles.
if ! git log --format=%s | grep -q '^Welcome the visitors$'; then
  sed '/"ecr:PutImage"/d' build-policy.json > build-policy-new.json
  sed '/"ecs:UpdateService"/d; s/"ecs:TagResource",/"ecs:TagResource"/' pipeline-policy.json > pipeline-policy-new.json
  for who in build pipeline; do
    aws iam put-role-policy --role-name demo-app-$who --policy-name work --policy-document file://$who-policy-new.json
  done
  # for those who left the backslashes out
  ! grep -q 'echo "\[{"name' buildspec.yml || git checkout -q $(git rev-list --max-parents=0 HEAD) -- buildspec.yml
  sed -i.bak 's|<p>.*|<p>Welcome to demo-app.</p>|' index.html
  git commit -q -a -m "Welcome the visitors"
fi
git log -1 --format=%s
