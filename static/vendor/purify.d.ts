// DOMPurify makes itself known as a global. Written here for `make lint`, not by its authors.
declare global {
  var DOMPurify: any;
}
export {};
