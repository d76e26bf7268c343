# Answers the approval that waits for your last commit:  sh answer.sh Approved "why"   or   sh answer.sh Rejected "why"
# One that waits for another commit, only if you name that commit:  sh answer.sh Rejected "why" HEAD~1
case "$1" in Approved | Rejected) ;; *) echo 'say Approved or Rejected, and why:  sh answer.sh Approved "why"'; exit 1 ;; esac
wanted=$(git rev-parse -q --verify "${3:-HEAD}^{commit}") || { echo "git knows no commit ${3:-HEAD} in this folder"; exit 1; }
set -- "$1" "$2" $(aws codepipeline get-pipeline-state --name demo-app --output text --query "stageStates[?stageName=='Approve'] |
  [0].[actionStates[0].latestExecution.status, actionStates[0].latestExecution.token, latestExecution.pipelineExecutionId]")
if [ "$3" != InProgress ] || [ "$4" = None ]; then echo "no approval waits for an answer"; exit; fi
waits=$(aws codepipeline get-pipeline-execution --pipeline-name demo-app --pipeline-execution-id $5 \
  --query 'pipelineExecution.artifactRevisions[0].revisionId' --output text)
named() { git log -1 --format=%s "$1" -- 2> /dev/null || echo "$1"; }
if [ "$waits" != "$wanted" ]; then
  echo "nothing was answered: the approval waits for the commit $(named $waits), and not for: $(named $wanted)"
  echo "to answer it all the same:  sh answer.sh $1 \"why\" $(printf %.7s $waits)"
  exit 1
fi
aws codepipeline put-approval-result --pipeline-name demo-app --stage-name Approve --action-name Person \
  --result "{\"status\": \"$1\", \"summary\": \"$2\"}" --token $4 > /dev/null && echo "you answered: $1, for the commit: $(named $waits)"
