# Runs one task of a revision, waits until the task has stopped, and prints the reason:  sh reason.sh REVISION
# AWS sees a changed policy some seconds later. A task that runs after all is stopped, and the next one is tried.
for try in 1 2 3 4 5 6; do
  task=$(aws ecs run-task --cluster demo --task-definition $1 --launch-type FARGATE \
    --network-configuration file://my-network.json --query 'tasks[0].taskArn' --output text) || exit
  status=PENDING
  until [ "$status" = STOPPED ] || [ "$status" = RUNNING ]; do
    sleep 1
    status=$(aws ecs describe-tasks --cluster demo --tasks $task --query 'tasks[0].lastStatus' --output text) || exit
  done
  [ "$status" = STOPPED ] && break
  aws ecs stop-task --cluster demo --task $task --query task.desiredStatus --output text
  sleep 5
done
aws ecs describe-tasks --cluster demo --tasks $task --query 'tasks[0].stoppedReason' --output text
