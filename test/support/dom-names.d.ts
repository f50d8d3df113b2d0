// Names of the browser's that the types of playwright-core and postal-mime use. The library of the DOM is left out of this project, so
// that nothing of a browser is taken for something of the server.
interface Node {
  readonly nodeType: number
}
interface HTMLElement extends Node {
  readonly tagName: string
}
interface SVGElement extends Node {
  readonly tagName: string
}
// oxlint-disable-next-line typescript/no-empty-object-type -- tests name elements by text
interface HTMLElementTagNameMap {}
interface TextEncoder {
  encode(text?: string): Uint8Array
}
interface TextDecoder {
  decode(bytes?: Uint8Array): string
}
