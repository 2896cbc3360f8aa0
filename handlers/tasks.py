"""Tasks with their comments, files, assignments and proposals (Task Manager, Tasks API)."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from handlers import media, schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from models.access import TASKS
from models.errors import Invalid, NotFound
from models.inputs import Id, Input, Prose
from models.operations import (
    assignments,
    attachments,
    comments,
    new_tasks,
    notifications,
    proposals,
    task_history,
    tasks,
)
from models.task_inputs import (
    Key,
    NamedTask,
    NewTask,
    People,
    Reason,
    Status,
    TaskFields,
    TaskQuery,
    task_key,
)


class TaskPage(TaskQuery, Page):
    """Which page of which tasks."""


class Assignees(Input):
    """Whom to assign, as the Tasks API or the Task Manager has it; `replace`: instead of those there are."""

    one_of = (("assignees", "user_ids"),)

    assignees: People = []
    user_ids: People = []
    replace: bool = False

    @property
    def field(self) -> str:
        """The name that the client used."""
        return "user_ids" if "user_ids" in self.model_fields_set else "assignees"

    @property
    def ids(self) -> list[int]:
        """Whoever is meant."""
        ids: list[int] = getattr(self, self.field)
        return ids


class Proposed(Input):
    """Who is asked to take the task."""

    user_ids: Annotated[People, Field(min_length=1)]


class ProposalResponse(Input):
    """The answer to a proposal."""

    assignment_id: Id
    action: Literal["accept", "reject"]
    reason: Reason = ""


class StatusChange(Input):
    """The new status. A reason is needed to enter `blocked` or `cancelled`, and to leave `done`."""

    status: Status
    reason: Reason = ""


class Withdrawal(Input):
    """Why a proposal is taken back."""

    reason: Reason = ""


class OfTask(Page):
    """A page, of one task if one is named."""

    task: Key | None = None


class ProposalQuery(OfTask):
    """Which proposals. `mine`: those that one has to answer oneself, or has answered."""

    mine: Annotated[bool, TaskQuery.model_fields["mine"].metadata[0]] = False
    status: Literal["pending", "accepted", "rejected", "withdrawn"] | None = None


class NewComment(Input):
    """What to say about a task."""

    task: Key
    content: Prose


class CommentChanges(Input):
    """A new text; what is not sent stays."""

    content: Prose | None = None


class CommentText(Input):
    """The whole of a comment."""

    content: Prose


class NewAttachment(Input):
    """The task that the files, `file` or `attachments`, are for."""

    task: Key


class TaskHandler(BaseHandler):
    """A path that names a task by its id or its uuid."""

    def path_value(self, text: str) -> int | UUID:
        try:
            return task_key(text)
        except ValueError:
            raise NotFound("There is no such task.") from None

    async def open(self, key: int | UUID) -> dict[str, Any]:
        """The task, as somebody looks at it: what they were told of it is settled."""
        opened = await self.store.read(tasks.look_at, self.actor, key)
        if opened.unread:
            await self.mark(notifications.mark_read, opened.unread)
        return opened.task


class FilesHandler(TaskHandler):
    """What takes files for a task."""

    async def _body_fields(self, model: type[Input]) -> Input:
        # A missing file is told together with whatever else is wrong.
        problems: dict[str, list[str]] = {}
        try:
            fields = await super()._body_fields(model)
        except Invalid as error:
            problems |= error.errors
        if not self.uploads:
            problems["file"] = ["No file was submitted."]
        if problems:
            raise Invalid(problems)
        return fields

    async def attach(self, key: int | UUID) -> None:
        """Keeps the uploaded files for the task, and answers with them."""
        async with media.stored_files(self.backend, self.uploads, "task_attachments") as files:
            outcome = await self.operate(attachments.attach, key, files.stored, status=201)
            files.used = outcome.is_new and not outcome.is_repeated


class Tasks(TaskHandler):
    """The tasks one may see."""

    @endpoint(query=TaskPage, answers={200: schemas.TaskPage})
    async def get(self, query: TaskPage) -> None:
        """The tasks one may see, the newest first unless `ordering` says otherwise."""
        count, results = await self.store.read(
            tasks.list_tasks, self.actor, query.filters(self.actor.id), query.page_size, query.offset
        )
        self.answer_page(count, results, query)

    @endpoint(body=NewTask, answers={201: schemas.Task}, scope=TASKS)
    async def post(self, body: NewTask) -> None:
        """Make a task. Managers and above for anybody, members of a workspace for its members, everybody
        for themselves. Its department's manager, its creator and its assignees get a mail."""
        await self.operate(new_tasks.create_task, body, status=201)


class OneTask(TaskHandler):
    """One task."""

    @endpoint(answers={200: schemas.Task})
    async def get(self, key: int | UUID) -> None:
        """A task, by its id or its uuid. One's notifications about it are read with it."""
        self.answer(await self.open(key))

    @endpoint(body=NamedTask, answers={200: schemas.Task}, scope=TASKS)
    async def put(self, key: int | UUID, body: NamedTask) -> None:
        """Change a task; what is not sent stays. The title is required."""
        await self._change(key, body)

    @endpoint(body=TaskFields, answers={200: schemas.Task}, scope=TASKS)
    async def patch(self, key: int | UUID, body: TaskFields) -> None:
        """Change a task; what is not sent stays."""
        await self._change(key, body)

    async def _change(self, key: int | UUID, body: TaskFields) -> None:
        await self.operate(tasks.update_task, key, body, self.expected_version())

    @endpoint(answers={204: None}, scope=TASKS)
    async def delete(self, key: int | UUID) -> None:
        """Delete a task: nobody sees it any more."""
        await self.operate(tasks.delete_task, key, self.expected_version(), status=204)


class Assign(TaskHandler):
    """Assigning."""

    @endpoint(body=Assignees, answers={200: schemas.AssignedTask}, scope=TASKS)
    async def post(self, key: int | UUID, body: Assignees) -> None:
        """Assign people; each gets a mail. Unknown ones are named, and then nothing changes."""
        await self.operate(tasks.assign, key, body.ids, body.replace, body.field, self.expected_version())


class Unassign(TaskHandler):
    """Taking people off a task."""

    @endpoint(body=Assignees, answers={200: schemas.AssignedTask}, scope=TASKS)
    async def post(self, key: int | UUID, body: Assignees) -> None:
        """Take people off a task. Unknown ones are named, and then nothing changes."""
        await self.operate(tasks.unassign, key, body.ids, body.field, self.expected_version())


class Propose(TaskHandler):
    """Proposing."""

    @endpoint(body=Proposed, answers={201: schemas.ProposedTask}, scope=TASKS)
    async def post(self, key: int | UUID, body: Proposed) -> None:
        """Ask people to take a task. Who has been asked and has not answered yet is not asked again."""
        await self.operate(proposals.propose, key, body.user_ids, status=201)


class Respond(TaskHandler):
    """Answering a proposal."""

    @endpoint(body=ProposalResponse, answers={200: schemas.Proposal}, scope=TASKS)
    async def post(self, key: int | UUID, body: ProposalResponse) -> None:
        """Accept or reject what was proposed to oneself, once. Accepting makes one an assignee."""
        await self.operate(proposals.respond, key, body.assignment_id, body.action, body.reason)


class UpdateStatus(TaskHandler):
    """The way of a task."""

    @endpoint(body=StatusChange, answers={200: schemas.Task}, scope=TASKS)
    async def post(self, key: int | UUID, body: StatusChange) -> None:
        """Move a task. To enter `blocked` or `cancelled` and to leave `done` needs a reason."""
        await self.operate(tasks.update_status, key, body.status, body.reason, self.expected_version())


class MarkDone(TaskHandler):
    """The end of a task."""

    @endpoint(answers={200: schemas.DoneTask}, scope=TASKS)
    async def post(self, key: int | UUID) -> None:
        """Finish a task; again changes nothing."""
        await self.operate(tasks.mark_done, key, self.expected_version())


class UploadAttachment(FilesHandler):
    """Files of a task."""

    @endpoint(body=Input, answers={201: schemas.OneOrMoreAttachments}, needs_files=True, scope=TASKS)
    async def post(self, key: int | UUID, body: Input) -> None:
        """Add files, as `file`, `attachments` or `attachments[n]`: gives one object for one file, a list
        for several."""
        await self.attach(key)


class TaskHistory(TaskHandler):
    """What happened to a task."""

    @endpoint(query=Page, answers={200: schemas.HistoryPage})
    async def get(self, key: int | UUID, query: Page) -> None:
        """Who changed what, from what, to what, why and when; the newest first."""
        count, results = await self.store.read(
            task_history.list_history, self.actor, key, query.page_size, query.offset
        )
        self.answer_page(count, results, query)


class Comments(BaseHandler):
    """Comments on the tasks one may see."""

    @endpoint(query=OfTask, answers={200: schemas.CommentPage})
    async def get(self, query: OfTask) -> None:
        """Comments in order of time, of one `task` if it is named."""
        count, results = await self.store.read(
            comments.list_comments, self.actor, query.page_size, query.offset, query.task
        )
        self.answer_page(count, results, query)

    @endpoint(body=NewComment, answers={201: schemas.Comment}, scope=TASKS)
    async def post(self, body: NewComment) -> None:
        """Say something about a task that one may see."""
        await self.operate(comments.post_comment, body.task, body.content, status=201)


class OneComment(BaseHandler):
    """One comment."""

    @endpoint(answers={200: schemas.Comment})
    async def get(self, comment_id: int) -> None:
        """A comment on a task that one may see."""
        self.answer(await self.store.read(comments.comment, self.actor, comment_id))

    @endpoint(body=CommentChanges, answers={200: schemas.Comment}, scope=TASKS)
    async def patch(self, comment_id: int, body: CommentChanges) -> None:
        """Change the text of one's own comment."""
        await self.operate(comments.edit_comment, comment_id, body.content, self.expected_version())

    @endpoint(body=CommentText, answers={200: schemas.Comment}, scope=TASKS)
    async def put(self, comment_id: int, body: CommentText) -> None:
        """Replace the text of one's own comment."""
        await self.operate(comments.edit_comment, comment_id, body.content, self.expected_version())

    @endpoint(answers={204: None}, scope=TASKS)
    async def delete(self, comment_id: int) -> None:
        """Delete one's own comment."""
        await self.operate(comments.delete_comment, comment_id, self.expected_version(), status=204)


class Attachments(FilesHandler):
    """Files of the tasks one may see."""

    @endpoint(query=OfTask, answers={200: schemas.AttachmentPage})
    async def get(self, query: OfTask) -> None:
        """Files of tasks, of one `task` if it is named."""
        count, results = await self.store.read(
            attachments.list_attachments, self.actor, query.page_size, query.offset, query.task
        )
        self.answer_page(count, results, query)

    @endpoint(
        body=NewAttachment,
        answers={201: schemas.OneOrMoreAttachments},
        takes_files=True,
        needs_files=True,
        scope=TASKS,
    )
    async def post(self, body: NewAttachment) -> None:
        """Add files to a task."""
        await self.attach(body.task)


class OneAttachment(BaseHandler):
    """One file of a task."""

    @endpoint(answers={200: schemas.Attachment})
    async def get(self, attachment_id: int) -> None:
        """A file of a task that one may see."""
        self.answer(await self.store.read(attachments.attachment, self.actor, attachment_id))

    @endpoint(answers={204: None}, scope=TASKS)
    async def delete(self, attachment_id: int) -> None:
        """Remove a file: who uploaded it, the task's creator, or a manager."""
        paths = await self.store.write(attachments.detach, self.actor, attachment_id)
        media.remove_soon(self.backend, paths)
        self.answer(None, 204)


class Assignments(BaseHandler):
    """The audit of assignments."""

    @endpoint(query=OfTask, answers={200: schemas.AssignmentPage})
    async def get(self, query: OfTask) -> None:
        """Who was assigned by whom: all for hr and ceo, a department's for its managers, else one's own."""
        count, results = await self.store.read(
            assignments.list_assignments, self.actor, query.page_size, query.offset, query.task
        )
        self.answer_page(count, results, query)


class OneAssignment(BaseHandler):
    """One record of the audit."""

    @endpoint(answers={200: schemas.Assignment})
    async def get(self, assignment_id: int) -> None:
        """A record of who was assigned by whom."""
        self.answer(await self.store.read(assignments.assignment, self.actor, assignment_id))


class Proposals(BaseHandler):
    """Proposals."""

    @endpoint(query=ProposalQuery, answers={200: schemas.ProposalPage})
    async def get(self, query: ProposalQuery) -> None:
        """Proposals to oneself and of the tasks one may see, the newest first."""
        count, results = await self.store.read(
            proposals.list_proposals,
            self.actor,
            query.page_size,
            query.offset,
            query.mine,
            query.status,
            query.task,
        )
        self.answer_page(count, results, query)


class OneProposal(BaseHandler):
    """One proposal."""

    @endpoint(answers={200: schemas.Proposal})
    async def get(self, proposal_id: int) -> None:
        """A proposal to oneself, or of a task that one may see."""
        self.answer(await self.store.read(proposals.retrieve, self.actor, proposal_id))


class Withdraw(BaseHandler):
    """Taking a proposal back."""

    @endpoint(body=Withdrawal, answers={200: schemas.Proposal}, scope=TASKS)
    async def post(self, proposal_id: int, body: Withdrawal) -> None:
        """Take back a proposal that has not been answered: who made it, or a manager."""
        await self.operate(proposals.withdraw, proposal_id, body.reason)


routes = [
    Route("/api/tasks/", Tasks),
    Route("/api/tasks/{task}/", OneTask),
    Route("/api/tasks/{task}/assign/", Assign),
    Route("/api/tasks/{task}/unassign/", Unassign),
    Route("/api/tasks/{task}/propose_assignment/", Propose),
    Route("/api/tasks/{task}/respond_assignment/", Respond),
    Route("/api/tasks/{task}/update_status/", UpdateStatus),
    Route("/api/tasks/{task}/mark_done/", MarkDone),
    Route("/api/tasks/{task}/upload_attachment/", UploadAttachment),
    Route("/api/tasks/{task}/history/", TaskHistory),
    Route("/api/task-comments/", Comments),
    Route("/api/task-comments/{id}/", OneComment),
    Route("/api/task-attachments/", Attachments),
    Route("/api/task-attachments/{id}/", OneAttachment),
    Route("/api/task-assignments/", Assignments),
    Route("/api/task-assignments/{id}/", OneAssignment),
    Route("/api/task-proposals/", Proposals),
    Route("/api/task-proposals/{id}/", OneProposal),
    Route("/api/task-proposals/{id}/withdraw/", Withdraw),
]
