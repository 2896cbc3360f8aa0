"""Workspaces and their members (OneTask)."""

from __future__ import annotations

from typing import Literal

from handlers import schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from models.access import ALL
from models.inputs import Id, Input, Name
from models.operations import workspaces


class NewWorkspace(Input):
    """A name."""

    name: Name


class WorkspaceChanges(Input):
    """A new name."""

    name: Name | None = None


class NewMember(Input):
    """Who, and as what."""

    user_id: Id
    role: Literal["owner", "admin", "member"] = "member"


class Workspaces(BaseHandler):
    """One's workspaces."""

    @endpoint(query=Page, answers={200: schemas.WorkspacePage})
    async def get(self, query: Page) -> None:
        """The workspaces one is in."""
        count, results = await self.store.snapshot(
            workspaces.listed, self.actor, query.page_size, query.offset
        )
        self.answer_page(count, results, query)

    @endpoint(body=NewWorkspace, answers={201: schemas.Workspace}, scope=ALL)
    async def post(self, body: NewWorkspace) -> None:
        """Make a workspace; one owns it."""
        await self.operate(workspaces.create, body.name, status=201)


class OneWorkspace(BaseHandler):
    """One workspace."""

    @endpoint(answers={200: schemas.Workspace})
    async def get(self, workspace_id: int) -> None:
        """A workspace one is in."""
        self.answer(await self.store.snapshot(workspaces.retrieve, self.actor, workspace_id))

    @endpoint(body=NewWorkspace, answers={200: schemas.Workspace}, scope=ALL)
    async def put(self, workspace_id: int, body: NewWorkspace) -> None:
        """Rename a workspace: for its owners and admins."""
        await self.operate(workspaces.rename, workspace_id, body.name, self.expected_version())

    @endpoint(body=WorkspaceChanges, answers={200: schemas.Workspace}, scope=ALL)
    async def patch(self, workspace_id: int, body: WorkspaceChanges) -> None:
        """Rename a workspace: for its owners and admins."""
        await self.operate(workspaces.rename, workspace_id, body.name, self.expected_version())

    @endpoint(answers={204: None}, scope=ALL)
    async def delete(self, workspace_id: int) -> None:
        """Delete a workspace: for its owners. Its tasks stay, without a workspace."""
        await self.store.write(workspaces.delete, self.actor, workspace_id)
        self.answer(None, 204)


class Members(BaseHandler):
    """Who is in it."""

    @endpoint(query=Page, answers={200: schemas.MemberPage})
    async def get(self, workspace_id: int, query: Page) -> None:
        """Everybody in the workspace."""
        found = await self.store.snapshot(workspaces.members, self.actor, workspace_id)
        self.answer_page(len(found), found[query.offset : query.offset + query.page_size], query)

    @endpoint(body=NewMember, answers={201: schemas.Member, 200: schemas.Member}, scope=ALL)
    async def post(self, workspace_id: int, body: NewMember) -> None:
        """Bring somebody into a workspace, or change their role there (200). Admins bring in members,
        owners do anything."""
        await self.operate(workspaces.put_member, workspace_id, body.user_id, body.role)


class OneMember(BaseHandler):
    """One member."""

    @endpoint(answers={204: None}, scope=ALL)
    async def delete(self, workspace_id: int, person_id: int) -> None:
        """Take somebody out of a workspace, or leave it: its events stop at once."""
        await self.store.write(workspaces.remove_member, self.actor, workspace_id, person_id)
        self.answer(None, 204)


routes = [
    Route("/api/v1/workspaces/", Workspaces),
    Route("/api/v1/workspaces/{id}/", OneWorkspace),
    Route("/api/v1/workspaces/{id}/members/", Members),
    Route("/api/v1/workspaces/{id}/members/{user_id}/", OneMember),
]
