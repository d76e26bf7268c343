# Prints where a task serves its page:  sh address.sh TASK
port=$(aws ecs describe-tasks --cluster demo --tasks $1 --query 'tasks[0].containers[0].networkBindings[0].hostPort' --output text)
address=127.0.0.1:$port
if [ "$port" = None ]; then   # on AWS the task has a network interface of its own
  interface=$(aws ecs describe-tasks --cluster demo --tasks $1 \
    --query "tasks[0].attachments[0].details[?name=='networkInterfaceId'].value" --output text)
  address=$(aws ec2 describe-network-interfaces --network-interface-ids $interface \
    --query 'NetworkInterfaces[0].Association.PublicIp' --output text)
fi
echo $address
