# The log of a project's newest build, without the times:  sh log.sh demo-app-build
test "$1" || { echo "name a project:  sh log.sh demo-app-build"; exit 1; }
build=$(aws codebuild list-builds-for-project --project-name $1 --query 'ids[0]' --output text)
test "${build:-None}" != None || { echo "no build of $1 has begun"; exit 1; }
stream=$(aws codebuild batch-get-builds --ids $build --query 'builds[0].logs.streamName' --output text)
aws logs get-log-events --log-group-name /aws/codebuild/$1 --log-stream-name $stream \
  --start-from-head --query 'join(``, events[].message)' --output text | sed 's/^\[Container\] [^ ]* [^ ]* //'
