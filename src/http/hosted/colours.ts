/** Red, green and blue from 0 to 255. */
type Rgb = readonly [number, number, number]

const HEX = /^#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})$/i
const WHITE: Rgb = [255, 255, 255]
/** WCAG 2.2, success criteria 1.4.3 (text) and 1.4.11 (controls). */
const TEXT_CONTRAST = 4.5
const CONTROL_CONTRAST = 3

/** The colours of a page, as `#rrggbb`: whatever an application chose, text on them can be read. */
export interface Palette {
  readonly background: string
  readonly primary: string
  /** text on `primary` */
  readonly onPrimary: string
  /** edge of what is filled with `primary`, and of focus, on white */
  readonly primaryEdge: string
  /** links on white */
  readonly link: string
}

/** Makes the colours of a page. What is no colour of the form `#rgb`, `#rgba`, `#rrggbb`, `#rrggbbaa` is left out. */
export function paletteOf(chosen: {
  readonly colorPrimary: string | null
  readonly colorSecondary: string | null
  readonly backgroundColor: string | null
}): Palette {
  const primary = readColour(chosen.colorPrimary) ?? [29, 78, 216]
  return {
    background: write(readColour(chosen.backgroundColor) ?? [243, 244, 246]),
    primary: write(primary),
    onPrimary: contrast(primary, WHITE) >= TEXT_CONTRAST ? '#ffffff' : '#000000',
    primaryEdge: write(darkened(primary, CONTROL_CONTRAST)),
    link: write(darkened(readColour(chosen.colorSecondary) ?? primary, TEXT_CONTRAST)),
  }
}

/** Contrast of two colours, 1 to 21 (WCAG 2.2, "contrast ratio"). */
export function contrastOf(one: string, other: string): number {
  return contrast(readColour(one) ?? WHITE, readColour(other) ?? WHITE)
}

/** What is see-through is mixed with the white below it. */
function readColour(text: string | null): Rgb | null {
  if (text === null || !HEX.test(text)) return null
  const digits = text.length <= 5 ? text.slice(1).replaceAll(/./g, '$&$&') : text.slice(1)
  const part = (at: number) => Number.parseInt(digits.slice(at, at + 2), 16)
  const opacity = digits.length === 8 ? part(6) / 255 : 1
  const mix = (value: number) => Math.round(value * opacity + 255 * (1 - opacity))
  return [mix(part(0)), mix(part(2)), mix(part(4))]
}

function darkened(colour: Rgb, least: number): Rgb {
  let dark = colour
  while (contrast(dark, WHITE) < least) dark = [dim(dark[0]), dim(dark[1]), dim(dark[2])]
  return dark
}

function dim(value: number): number {
  return Math.floor(value * 0.94)
}

function contrast(one: Rgb, other: Rgb): number {
  const [light, dark] = [luminance(one), luminance(other)].toSorted((a, b) => b - a)
  return ((light ?? 0) + 0.05) / ((dark ?? 0) + 0.05)
}

function luminance([red, green, blue]: Rgb): number {
  return 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

function linear(value: number): number {
  const share = value / 255
  return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
}

function write(colour: Rgb): string {
  return `#${colour.map((value) => value.toString(16).padStart(2, '0')).join('')}`
}
