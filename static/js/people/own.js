/* What the person's menu offers besides the places: entries as in kit/menu.js. */

export const ownActions = () => [];
