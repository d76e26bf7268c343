# What the page of a service says, by default of web: asks the first task that runs.
service=${1:-web}
task=$(aws ecs list-tasks --cluster demo --service-name $service --desired-status RUNNING --query 'taskArns[0]' --output text)
[ "${task:-None}" = None ] && echo "no task of $service runs now" && exit
port=$(aws ecs describe-tasks --cluster demo --tasks $task \
  --query 'tasks[0].containers[0].networkBindings[0].hostPort' --output text)
curl -s http://127.0.0.1:$port/ | sed -n 's/<p>\(.*\)<\/p>/\1/p'
