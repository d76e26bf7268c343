"""The errors of CodePipeline.

https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_CreatePipeline.html#API_CreatePipeline_Errors
The sentences of PipelineNotFoundException, PipelineNameInUseException, ResourceNotFoundException,
of tags and of a role that CodePipeline may not take:
https://github.com/getmoto/moto/blob/master/moto/codepipeline
"""

from __future__ import annotations

from labs_helpers.sandbox.service.errors import ServiceError


class InvalidStructure(ServiceError):
    """The stages, or the artifacts between actions, do not make a pipeline."""

    code = "InvalidStructureException"


class InvalidAction(ServiceError):
    """An action's type, configuration or number of artifacts is wrong."""

    code = "InvalidActionDeclarationException"


class InvalidStage(ServiceError):
    """A stage of the definition is wrong."""

    code = "InvalidStageDeclarationException"


class Invalid(ServiceError):
    """A parameter that fits no rule of the operation."""

    code = "ValidationException"


class NameInUse(ServiceError):
    """There is a pipeline of this name."""

    code = "PipelineNameInUseException"
    words = "A pipeline with the name '{name}' already exists in account '{account}'"


class NotFound(ServiceError):
    """There is no such pipeline."""

    code = "PipelineNotFoundException"
    words = "Account '{account}' does not have a pipeline with name '{name}'"


class NotFoundAtStart(NotFound):
    """There is no such pipeline to start.

    StartPipelineExecution has a sentence of its own:
    https://github.com/aws-samples/aws-serverless-saas-workshop/issues/51
    """

    words = "Pipeline with name {name} does not exist in account {account}."


class VersionNotFound(ServiceError):
    """The pipeline never had this version."""

    code = "PipelineVersionNotFoundException"
    words = "Pipeline with name '{name}' does not have version {version}"


class ExecutionNotFound(ServiceError):
    """The pipeline has no such execution."""

    code = "PipelineExecutionNotFoundException"
    words = "Pipeline with name '{name}' does not have an execution with ID '{id}'"


class StageNotFound(ServiceError):
    """The pipeline has no such stage."""

    code = "StageNotFoundException"
    words = "Pipeline with name '{name}' does not have a stage with name '{stage}'"


class ActionNotFound(ServiceError):
    """The stage has no such action."""

    code = "ActionNotFoundException"
    words = "Stage with name '{stage}' does not have an action with name '{action}'"


class Conflict(ServiceError):
    """The stage or the execution is in a state that does not let this happen now."""

    code = "ConflictException"


class InvalidToken(ServiceError):
    """The token is not that of the approval that waits."""

    code = "InvalidApprovalTokenException"


class AlreadyCompleted(ServiceError):
    """The approval was given or refused before."""

    code = "ApprovalAlreadyCompletedException"


class NotStoppable(ServiceError):
    """The execution has ended."""

    code = "PipelineExecutionNotStoppableException"


class DuplicatedStop(ServiceError):
    """The execution is being stopped already."""

    code = "DuplicatedStopRequestException"


class NotRetryable(ServiceError):
    """The stage of the execution has not failed."""

    code = "StageNotRetryableException"


class NotOverridable(ServiceError):
    """The condition has not failed, or its execution has gone on."""

    code = "ConditionNotOverridableException"


class NotLatest(ServiceError):
    """A newer execution has entered the stage."""

    code = "NotLatestPipelineExecutionException"


class Outdated(ServiceError):
    """The pipeline was changed after the execution."""

    code = "PipelineExecutionOutdatedException"


class CannotRollback(ServiceError):
    """The stage cannot be rolled back to that execution."""

    code = "UnableToRollbackStageException"


class TooMany(ServiceError):
    """More executions in progress than a pipeline may have."""

    code = "ConcurrentPipelineExecutionsLimitExceededException"


class ResourceNotFound(ServiceError):
    """There is no pipeline of this ARN, or none to update.

    The page of UpdatePipeline names no error for it:
    https://docs.aws.amazon.com/codepipeline/latest/APIReference/API_UpdatePipeline.html
    """

    code = "ResourceNotFoundException"
    words = "The account with id '{account}' does not include a pipeline with the name '{name}'"


class SystemTag(ServiceError):
    """A tag of AWS's own, which no caller sets."""

    code = "InvalidTagsException"
    words = (
        "Not allowed to modify system tags. System tags start with 'aws:'. "
        "msg=[Caller is an end user and not allowed to mutate system tags]"
    )


class TooManyTags(ServiceError):
    """More tags than a pipeline may have."""

    code = "TooManyTagsException"
    words = "Tag limit exceeded for resource [{arn}]."
