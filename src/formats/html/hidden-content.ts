import type { MailElement } from './mail-tree.ts'

/** Style sheets longer than this are not looked into further. */
const MAX_CSS = 64 * 1024
const MAX_RULES = 500
/** Of one rule, in characters. */
const MAX_SELECTORS = 2_000

/** Decides which elements no reader of the mail would see: hidden text, preheaders, tracking pixels. */
export type IsHidden = (element: MailElement) => boolean

/** Reads what the style sheets of a mail hide by class, id or tag; what only some screens hide counts as shown. */
export function readHidden(html: string): IsHidden {
  const selectors = hidingSelectors(html)
  return (element) =>
    'hidden' in element.attribs ||
    hides(element.attribs['style'] ?? '') ||
    (element.name === 'img' && isPixel(element)) ||
    selectorsOf(element).some((selector) => selectors.has(selector))
}

function selectorsOf({ name, attribs }: MailElement): string[] {
  const classes = (attribs['class'] ?? '').split(/\s+/).filter((each) => each !== '')
  const id = attribs['id'] ?? ''
  return [
    ...classes.flatMap((each) => [`.${each}`, `${name}.${each}`]),
    ...(id === '' ? [] : [`#${id}`, `${name}#${id}`]),
  ]
}

function hidingSelectors(html: string): ReadonlySet<string> {
  const css = styleSheets(html).slice(0, MAX_CSS)
  // Rules in a block of their own (@media) hold on some screens only.
  const flat = plainCss(css).replace(/@[^{};]{0,1000}\{(?:[^{}]|\{[^{}]*\}){0,20000}\}/g, '')
  const found = new Set<string>()
  // What is behind the last brace is no rule.
  for (const rule of flat.split('}', MAX_RULES + 1).slice(0, -1)) {
    const [declarations = '', selectors = ''] = rule.split('{').toReversed()
    if (!hides(declarations)) continue
    for (const selector of selectors.slice(-MAX_SELECTORS).split(',')) found.add(selector.trim())
  }
  return found
}

function styleSheets(html: string): string {
  let css = ''
  // Parts of the text itself: in lower case it may be longer than it was (İ).
  const tag = /<(\/?)style[^>]*>?/gi
  let start: number | undefined
  for (const { 0: text, 1: slash, index } of html.matchAll(tag)) {
    if (slash === '') start ??= index + text.length
    else if (start !== undefined) {
      css += `${html.slice(start, index)}\n`
      start = undefined
      if (css.length >= MAX_CSS) return css
    }
  }
  return css
}

/** Without comments and escapes, which hide words from whoever looks for them. */
function plainCss(css: string): string {
  return css
    .replace(/\/\*[\s\S]*?(\*\/|$)/g, '')
    .replace(/\\([0-9a-f]{1,6})\s?/gi, (_all, hex: string) => {
      const code = Number.parseInt(hex, 16)
      return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
    })
    .replace(/<!--|-->/g, '')
}

function hides(declarations: string): boolean {
  if (declarations === '') return false
  const values = new Map(
    plainCss(declarations.slice(0, 4096))
      .toLowerCase()
      .split(';')
      .map((each) => {
        const colon = each.indexOf(':')
        return [
          each.slice(0, colon).trim(),
          each
            .slice(colon + 1)
            .replace('!important', '')
            .trim(),
        ] as const
      }),
  )
  const is = (name: string, pattern: RegExp) => pattern.test(values.get(name) ?? '')
  return (
    is('display', /^none$/) ||
    is('visibility', /^(hidden|collapse)$/) ||
    is('mso-hide', /^all$/) ||
    (is('opacity', /^\.?0*(\.0*)?%?$|^0?\.0\d*$/) && values.has('opacity')) ||
    (is('font-size', /^[01]?(\.\d*)?(px|pt|em|rem|%)?$/) &&
      values.has('font-size') &&
      !is('font-size', /^1(\.\d*)?(em|rem)$/)) ||
    (is('color', /^transparent$/) && !values.has('-webkit-text-fill-color')) ||
    is('max-height', /^0(px|pt|em|%)?$/) ||
    is('max-width', /^0(px|pt|em|%)?$/) ||
    (is('overflow', /^hidden$/) && (is('height', /^[01](px|pt)?$/) || is('width', /^[01](px|pt)?$/))) ||
    is('text-indent', /^-\d{3,}/) ||
    (is('position', /^(absolute|fixed)$/) &&
      (is('left', /^-\d{3,}/) || is('top', /^-\d{3,}/) || is('right', /^-\d{3,}/))) ||
    is('clip', /rect\(\s*0[\s,px]*0[\s,px]*0[\s,px]*0/) ||
    is('clip-path', /inset\(\s*(50|100)%/) ||
    is('transform', /scale\(\s*0\s*[,)]/) ||
    isInvisible(values)
  )
}

/** Text of the colour of its background. */
function isInvisible(values: ReadonlyMap<string, string>): boolean {
  const colour = values.get('color')
  const background = values.get('background-color') ?? values.get('background')
  return colour !== undefined && background !== undefined && longColour(colour) === longColour(background)
}

function longColour(colour: string): string {
  const short = /^#([0-9a-f])([0-9a-f])([0-9a-f])$/.exec(colour)
  if (short) return `#${short[1]}${short[1]}${short[2]}${short[2]}${short[3]}${short[3]}`
  return colour === 'white' ? '#ffffff' : colour === 'black' ? '#000000' : colour.replaceAll(' ', '')
}

/** An image that nobody can see is there to tell that the mail was opened. */
function isPixel({ attribs }: MailElement): boolean {
  const isTiny = (value: string | undefined) =>
    value !== undefined && /^\s*[012](\.\d+)?\s*(px)?\s*$/i.test(value)
  const style = plainCss((attribs['style'] ?? '').slice(0, 4096))
  const styled = (name: string) => new RegExp(`(?:^|;)\\s*${name}\\s*:\\s*([^;!]*)`, 'i').exec(style)?.[1]
  const width = styled('width') ?? attribs['width']
  const height = styled('height') ?? attribs['height']
  return isTiny(width) || isTiny(height)
}
