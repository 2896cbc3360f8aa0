"""What several tests do to a team's task."""

from models.operations import proposals, tasks


async def assign_bob(team, run):
    await run(tasks.assign, team.ceo, team.task, [team.bob.id])


async def propose_bob(team, run):
    answer = await run(proposals.propose, team.manager, team.task, [team.bob.id])
    return answer.body["assignments"][0]["id"]


async def delete_the_task(team, run):
    await run(tasks.delete_task, team.manager, team.task)
