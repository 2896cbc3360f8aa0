// What the pages use of htm, for `make lint`. Written here, not by its authors.
declare const htm: { bind(h: any): (strings: TemplateStringsArray, ...values: any[]) => any };
export default htm;
