# What the page of the service web says: asks the first task that runs.
task=$(aws ecs list-tasks --cluster demo --service-name web --query 'taskArns[0]' --output text)
port=$(aws ecs describe-tasks --cluster demo --tasks $task \
  --query 'tasks[0].containers[0].networkBindings[0].hostPort' --output text)
curl -s http://127.0.0.1:$port/ | sed -n 's/<p>\(.*\)<\/p>/\1/p'
