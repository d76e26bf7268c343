# The log of a project's newest build, without the times:  sh log.sh demo-app-build
build=$(aws codebuild list-builds-for-project --project-name $1 --query 'ids[0]' --output text)
stream=$(aws codebuild batch-get-builds --ids $build --query 'builds[0].logs.streamName' --output text)
aws logs get-log-events --log-group-name /aws/codebuild/$1 --log-stream-name $stream \
  --start-from-head --query 'join(``, events[].message)' --output text | sed 's/^\[Container\] [^ ]* [^ ]* //'
