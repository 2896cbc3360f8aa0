/* A small conversation by the typed client: node conversation.js SERVER USERNAME PASSWORD. What it learns goes to stdout. */
import { Refused, Taskroom } from "./client.js";

declare const process: { argv: string[] };

const [, , server = "", username = "", password = ""] = process.argv;
const taskroom = new Taskroom(server);

const refused = await taskroom.signIn(username, "wrong horse 7").catch((error: unknown) => error);
const me = await taskroom.signIn(username, password);

const { data: task } = await taskroom.api.POST("/api/tasks/", { body: { title: "Paint the fence", priority: "high" } });
if (task === undefined) throw new Error("no task was made");
const tasks = await taskroom.connect("/ws/tasks/");
tasks.send({ type: "hello" });
await tasks.next("hello");
await taskroom.api.PATCH("/api/tasks/{task}/", { params: { path: { task: task.id } }, body: { status: "in_progress" } });
const changed = await tasks.next("task");

const { data: room } = await taskroom.api.POST("/api/chat/rooms/", { body: { room_type: "group", name: "Garden" } });
if (room === undefined) throw new Error("no room was made");
const chat = await taskroom.connect("/ws/chat/{room_id}", { room_id: room.id });
await chat.next("room_joined");
chat.send({ type: "send_message", room_id: room.id, content: "Who has the blue paint?" });
const said = await chat.next("chat_message");

// @ts-expect-error: there is no such priority
void (() => taskroom.api.POST("/api/tasks/", { body: { title: "x", priority: "urgent" } }));
// @ts-expect-error: there is no such command
void (() => chat.send({ type: "sing" }));
// @ts-expect-error: a room's socket needs a room
void (() => taskroom.connect("/ws/chat/{room_id}", {}));

chat.close();
tasks.close();
console.log(JSON.stringify({
  refused: refused instanceof Refused ? refused.status : null,
  me: me.username,
  task: task.title,
  changed,
  said: said.data.content,
  sender: said.data.sender?.username,
}));
