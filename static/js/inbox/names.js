/* Whom a notification is about, as people call them. Values in, values out. */

/* How the server's sentences about somebody begin, or end. */
const WHO = /^(.{1,150}?)(?= (?:mentioned you|replied to you|assigned you the|took you off the|commented on|proposes the|has (?:accepted|declined) the)\b)/;
const FROM = /^((?:New message|\d+ new messages) from )(.{1,150})$/;

/** The server's sentence with somebody's full name in the place of their username; `nameOf(username)` is "" for whom nobody knows. */
export const withFullName = (text, nameOf) => text.replace(WHO, (who) => nameOf(who) || who).replace(FROM, (_, words, who) => words + (nameOf(who) || who));
