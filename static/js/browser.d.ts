// For `make lint`: a selector says what it finds, so that what it finds needs no cast.
declare var taskroomEarly: Map<string, Promise<{ response: Response, text: string }>> | undefined;
interface ParentNode {
  querySelector(selectors: string): any;
  querySelectorAll(selectors: string): NodeListOf<any>;
}
interface NonElementParentNode {
  getElementById(id: string): any;
}
interface Document {
  getElementById(id: string): any;
}
interface Element {
  closest(selectors: string): any;
}
