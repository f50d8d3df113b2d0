import type { Branding } from '../../core/ports/oauth-services.ts'
import { paletteOf } from './colours.ts'
import { httpsUrl } from './https-url.ts'

const BASE = `
*,*::before,*::after{box-sizing:border-box}
html{color-scheme:light;-webkit-text-size-adjust:100%}
body{margin:0;min-height:100vh;min-height:100dvh;display:flex;padding:1.5rem 1rem;background-color:var(--background);
background-position:center;background-size:cover;background-repeat:no-repeat;
color:#111827;font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.card{width:100%;max-width:27rem;margin:auto;padding:2rem;background:#fff;border:1px solid #e5e7eb;border-radius:.875rem;
box-shadow:0 1px 2px #0000000d,0 12px 32px -12px #0000002e;text-align:var(--align);overflow-wrap:anywhere}
header{margin-bottom:1rem}
.content{margin-top:1.5rem}
.icon{display:block;max-width:8rem;max-height:3rem;margin:0 var(--icon-right) .75rem var(--icon-left)}
.app{margin:0;color:#4b5563;font-size:.875rem;font-weight:600}
h1{margin:0;font-size:1.5rem;line-height:1.25;letter-spacing:-.01em;text-wrap:balance}
.subtitle{margin:.5rem 0 0;color:#4b5563;text-wrap:pretty}
h2{margin:0 0 .75rem;font-size:1rem;font-weight:600}
section,form,.panel{margin:0}
.panels>*+*,.fields>*+*{margin-top:calc(.75rem + var(--spacing))}
ul{list-style:none;margin:0;padding:0}
li+li{margin-top:calc(.375rem + var(--spacing))}
label,.label{display:block;font-weight:600;text-align:left}
.optional{font-weight:400;color:#4b5563}
.hint{margin:.125rem 0 0;color:#4b5563;font-size:.875rem;text-align:left}
input{display:block;width:100%;min-height:2.75rem;margin-top:.375rem;padding:.5rem .75rem;font:inherit;color:inherit;
background:#fff;border:1px solid #6b7280;border-radius:.5rem}
input[aria-invalid]{border:2px solid #b91c1c}
.field-error{margin:.25rem 0 0;color:#b91c1c;font-size:.875rem;font-weight:600;text-align:left}
button,.button{display:flex;align-items:center;justify-content:center;width:100%;min-height:2.75rem;padding:.5rem 1rem;
font:inherit;font-weight:600;line-height:1.25;text-align:center;text-decoration:none;border-radius:.5rem;cursor:pointer}
.main{color:var(--on-primary);background:var(--primary);border:1px solid var(--primary-edge)}
.choice{color:#111827;background:#fff;border:1px solid #6b7280}
.choice:hover{background:#f3f4f6}
.main:hover{box-shadow:inset 0 0 0 99rem #00000014}
button.quiet{justify-content:var(--justify);padding:.25rem 0}
.quiet{color:var(--link);background:none;border:1px solid transparent;text-decoration:underline;text-underline-offset:.2em;font-weight:500}
.quiet:hover{text-decoration-thickness:2px}
a{color:var(--link);text-underline-offset:.2em}
a.main{color:var(--on-primary)}
:focus-visible{outline:3px solid var(--primary-edge);outline-offset:2px}
:focus:not(:focus-visible){outline:none}
.alert{margin:0 0 1.25rem;padding:.75rem 1rem;color:#7f1d1d;background:#fef2f2;border:1px solid #fca5a5;border-left:4px solid #b91c1c;
border-radius:.5rem;text-align:left}
.alert p{margin:0}
.or{display:flex;align-items:center;gap:.75rem;color:#4b5563;font-size:.875rem}
.or::before,.or::after{content:"";flex:1;border-top:1px solid #d1d5db}
details{text-align:left;border:1px solid #d1d5db;border-radius:.5rem}
summary{min-height:2.75rem;padding:.625rem .75rem;font-weight:600;cursor:pointer;border-radius:.5rem}
details>div{padding:0 .75rem .875rem}
.help{margin:.5rem 0 0;font-size:.875rem;text-align:left}
.ways{margin-top:.75rem}
.note{margin:.75rem 0 0;color:#4b5563;font-size:.875rem}
.reference{display:block;font:.8125rem/1.5 ui-monospace,Menlo,Consolas,monospace}
.advice{margin:0 0 1.25rem;text-wrap:pretty}
footer{margin-top:1.5rem;padding-top:1rem;border-top:1px solid #e5e7eb;color:#4b5563;font-size:.875rem}
footer ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;justify-content:var(--justify)}
footer li+li{margin:0}
footer a{display:inline-block;padding:.25rem 0}
@media (max-width:30rem){body{padding:0;background-image:none}.card{max-width:none;min-height:100vh;min-height:100dvh;margin:0;padding:1.5rem 1.25rem;
border:0;border-radius:0;box-shadow:none}}
@media (forced-colors:active){.main{border:2px solid ButtonText}.card{border:1px solid CanvasText}}
`

/**
 * The style sheet of a page: ours, and what the application may change of it. Colours are `#rrggbb`, lengths numbers,
 * words from a list; only the address of the background image is a text, and its marks are encoded.
 */
export function styleSheet(branding: Branding | null): string {
  const palette = paletteOf(branding ?? { colorPrimary: null, colorSecondary: null, backgroundColor: null })
  const alignment = branding?.alignment ?? 'center'
  const image = httpsUrl(branding?.backgroundImageUrl)
  const values = {
    background: palette.background,
    primary: palette.primary,
    'on-primary': palette.onPrimary,
    'primary-edge': palette.primaryEdge,
    link: palette.link,
    spacing: `${spacingOf(branding?.spacing)}px`,
    ...ALIGNMENTS[alignment],
  }
  const properties = Object.entries(values).map(([name, value]) => `--${name}:${value}`)
  const background = image ? `body{background-image:url("${cssUrl(image)}")}` : ''
  // Ours comes last, so that small screens go without the image.
  return `:root{${properties.join(';')}}${background}${BASE}`
}

const ALIGNMENTS = {
  left: { align: 'left', justify: 'flex-start', 'icon-left': '0', 'icon-right': 'auto' },
  center: { align: 'center', justify: 'center', 'icon-left': 'auto', 'icon-right': 'auto' },
  right: { align: 'right', justify: 'flex-end', 'icon-left': 'auto', 'icon-right': '0' },
} as const

/** More than this leaves no room on a phone. */
const MOST_SPACING = 40

function spacingOf(spacing: number | undefined): number {
  return Number.isFinite(spacing) ? Math.max(0, Math.min(MOST_SPACING, Math.round(spacing ?? 0))) : 0
}

/** Nothing ends a CSS string or a style element early: those marks are percent-encoded. */
function cssUrl(url: URL): string {
  return url.href.replaceAll(
    /[^A-Za-z0-9\-._~:/?#[\]@!$&*+,=%]/g,
    (mark) => `%${mark.charCodeAt(0).toString(16).padStart(2, '0')}`,
  )
}
