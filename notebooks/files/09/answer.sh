# Answers the approval that waits:  sh answer.sh Approved "why"   or   sh answer.sh Rejected "why"
token=$(aws codepipeline get-pipeline-state --name demo-app --output text \
  --query "stageStates[?stageName=='Approve'].actionStates[0].latestExecution | [?status=='InProgress'] | [0].token")
if [ "$token" = None ]; then
  echo "no approval waits for an answer"
else
  aws codepipeline put-approval-result --pipeline-name demo-app --stage-name Approve --action-name Person \
    --result "{\"status\": \"$1\", \"summary\": \"$2\"}" --token $token > /dev/null &&
    echo "you answered: $1"
fi
