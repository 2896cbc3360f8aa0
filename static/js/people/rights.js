/* Who may do what about people: the server's rules, so that nothing is offered that it would refuse. */

export const ROLES = ["employee", "atl", "manager", "supervisor", "hr", "ceo"]; // by rank
const NAMES = { employee: "Employee", atl: "Team lead", manager: "Manager", supervisor: "Supervisor", hr: "HR", ceo: "CEO" };
const CHANGE_ROLES = ["supervisor", "hr", "ceo"];
const MANAGE_PEOPLE = ["hr", "ceo"];
const READ_FIGURES = ["atl", "manager", "supervisor", "hr", "ceo"];

export const roleName = (role) => NAMES[role] ?? role;
const rank = (role) => ROLES.indexOf(role);

const isUnder = (me, person) => rank(person.role) <= rank(me.role);

/** The roles that one may give somebody: none, or those up to one's own. */
export function rolesToGive(me, person) {
  if (!CHANGE_ROLES.includes(me.role) || !isUnder(me, person)) return [];
  return ROLES.filter((role) => rank(role) <= rank(me.role));
}

/** Whether one may change somebody's name and department, give them a link, and let them in or not. */
export const manages = (me, person) => MANAGE_PEOPLE.includes(me.role) && isUnder(me, person);

export const managesDepartments = (me) => MANAGE_PEOPLE.includes(me.role);

export const readsFigures = (me) => READ_FIGURES.includes(me.role);
