import type { Branding } from '../../core/ports/oauth-services.ts'
import { httpsUrl } from './https-url.ts'

const HSTS = 'max-age=31536000'

/** Headers of everything these routes answer: nothing is cached, nothing of the address leaks to other sites. */
export function answerHeaders(isHttps: boolean): { readonly [name: string]: string } {
  return {
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-robots-tag': 'noindex',
    // Not no-referrer: then browsers send `Origin: null` with our own forms (Fetch standard, "append a request Origin
    // header", checked 2026-11). To other sites this sends nothing either.
    'referrer-policy': 'same-origin',
    ...(isHttps ? { 'strict-transport-security': HSTS } : {}),
  }
}

/**
 * Headers of a page. No script at all, no frame around it, the application's two images and our one style element.
 *
 * @param takesForms  whether it has forms: they go to this server only
 */
export function pageHeaders(
  nonce: string,
  branding: Branding | null,
  takesForms: boolean,
): { readonly [name: string]: string } {
  const images = [branding?.iconUrl, branding?.backgroundImageUrl].flatMap(
    (url) => httpsUrl(url)?.origin ?? [],
  )
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `img-src ${images.length > 0 ? [...new Set(images)].join(' ') : "'none'"}`,
    `form-action ${takesForms ? "'self'" : "'none'"}`,
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'content-type': 'text/html; charset=utf-8',
    'content-security-policy': policy.join('; '),
    'x-frame-options': 'DENY',
    'cross-origin-resource-policy': 'same-origin',
    // A web page that is shown to somebody else is no place for his camera.
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=()',
  }
}
