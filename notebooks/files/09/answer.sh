# Answers the approval that waits:  sh answer.sh Approved "why"   or   sh answer.sh Rejected "why"
case "$1" in Approved | Rejected) ;; *) echo 'say Approved or Rejected, and why:  sh answer.sh Approved "why"'; exit 1 ;; esac
state=$(aws codepipeline get-pipeline-state --name demo-app --output text --query "stageStates[?stageName=='Approve'] |
  [0].[actionStates[0].latestExecution.status, actionStates[0].latestExecution.token, latestExecution.pipelineExecutionId]")
set -- "$1" "$2" $state
if [ "$3" = InProgress ] && [ "$4" != None ]; then
  aws codepipeline put-approval-result --pipeline-name demo-app --stage-name Approve --action-name Person \
    --result "{\"status\": \"$1\", \"summary\": \"$2\"}" --token $4 > /dev/null &&
    echo "you answered: $1, for the commit: $(aws codepipeline get-pipeline-execution --pipeline-name demo-app \
      --pipeline-execution-id $5 --query 'pipelineExecution.artifactRevisions[0].revisionSummary' --output text)"
else
  echo "no approval waits for an answer"
fi
