// What the pages use of marked, for `make lint`. Written here, not by its authors.
export const Marked: any;
