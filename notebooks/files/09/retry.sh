# Runs a stage that failed again, with the same commit:  sh retry.sh Build
test "$1" || { echo "name a stage:  sh retry.sh Build"; exit 1; }
failed=$(aws codepipeline get-pipeline-state --name demo-app --output text \
  --query "stageStates[?stageName=='$1'].latestExecution | [?status=='Failed'] | [0].pipelineExecutionId")
if [ "${failed:-None}" = None ]; then
  echo "the stage $1 has not failed"
else
  aws codepipeline retry-stage-execution --pipeline-name demo-app --stage-name $1 \
    --pipeline-execution-id $failed --retry-mode FAILED_ACTIONS > /dev/null &&
    echo "the stage $1 runs again"
fi
