# What the page of a service says, by default of web: asks the first task that runs.
service=${1:-web}
task=$(aws ecs list-tasks --cluster demo --service-name $service --desired-status RUNNING --query 'taskArns[0]' --output text)
[ "${task:-None}" = None ] && echo "no task of $service runs now" && exit
port=$(aws ecs describe-tasks --cluster demo --tasks $task \
  --query 'tasks[0].containers[0].networkBindings[0].hostPort' --output text)
address=127.0.0.1:$port
if [ "$port" = None ]; then   # on AWS the task has a network interface of its own
  interface=$(aws ecs describe-tasks --cluster demo --tasks $task \
    --query "tasks[0].attachments[0].details[?name=='networkInterfaceId'].value" --output text)
  address=$(aws ec2 describe-network-interfaces --network-interface-ids $interface \
    --query 'NetworkInterfaces[0].Association.PublicIp' --output text)
fi
curl -s --max-time 20 http://$address/ | sed -n 's/<p>\(.*\)<\/p>/\1/p'
