/** How the lines of a mail are to be read. */
export interface NewestOptions {
  /** Lines that begin with `>` are quotes, as in plain mail. */
  readonly dropsQuoteLines: boolean
  /** Quotes were taken out already: what introduced them goes alone. */
  readonly quotesAreGone: boolean
  readonly removesConclusion: boolean
}

const MAX_LINES = 20_000
/** An introduction like "On … wrote:" may be wrapped. */
const MAX_INTRODUCTION_LINES = 3
const MAX_INTRODUCTION_CHARS = 400
/** What follows a closing phrase: a name, a title, a company, telephone numbers. */
const MAX_SIGNATURE_LINES = 10
const MAX_SIGNATURE_LINE_CHARS = 120

const INTRODUCTIONS = [
  /^On\s.{4,}\swrote\s?:$/i,
  /^(Am|Den)\s.{4,}\sschrieb(\s.*)?:$/i,
  /^Le\s.{4,}\sa\s[ée]crit\s?:$/i,
  /^El\s.{4,}\sescribi[óo]\s?:$/i,
  /^Il\s.{4,}\sha\sscritto\s?:$/i,
  /^(Em|Em\s.*,)\s.{4,}\sescreveu\s?:$/i,
  /^Op\s.{4,}\s(schreef|heeft)\s?.*:$/i,
  /^(Den|På|Tirsdag|Ons|Tor|Fre|Man)\s.{4,}\sskrev(\s.*)?:$/i,
  /^(W dniu|Dnia)\s.{4,}\snapisał.*:$/i,
  /^.{4,}\s(пишет|написал|написала|написал\(а\))\s?:$/i,
  /^在?.{4,}写道\s?[:：]$/,
  /^.{4,}(さんは書きました|が書きました|のメール)\s?[:：]$/,
  /^.{4,}님이\s?작성\s?:$/,
  /^[\d./-]{6,10}[\s,].{0,200}<[^<>\s]+@[^<>\s]+>\s?:$/,
]
const SEPARATOR =
  /^-{2,}\s*(original message|original appointment|reply message|ursprüngliche nachricht|originalnachricht|message d[’']origine|mensaje original|messaggio originale|mensagem original|oorspronkelijk bericht|ursprungligt meddelande|oprindelig meddelelse|opprinnelig melding|wiadomość oryginalna|исходное сообщение|原始邮件|元のメッセージ)\s*-{2,}$/i
const FROM = /^(from|von|de|da|van|från|fra|od|от|发件人|差出人)\s*[:：]\s*\S/i
const SENT =
  /^(sent|date|gesendet|datum|envoyé|date|enviado|enviada em|fecha|inviato|data|verzonden|skickat|sendt|dato|wysłano|отправлено|дата|发送时间|日期|送信日時)\s*[:：]/i
const TO_OR_SUBJECT =
  /^(to|an|à|para|a|aan|till|til|do|кому|收件人|宛先|subject|betreff|objet|asunto|oggetto|assunto|onderwerp|ämne|emne|temat|тема|主题|件名)\s*[:：]/i

const DEVICE =
  /^(sent from my \S.{0,40}|sent from (outlook|mail|yahoo mail|proton mail)\b.{0,40}|get outlook for (ios|android).{0,60}|von meinem \S.{0,30} gesendet|envoyé de mon \S.{0,30}|enviado desde mi \S.{0,30}|inviato da \S.{0,30})$/i
const CLOSING = new RegExp(
  `^(${[
    '(with |my |many |very )*(best|kind|kindest|warm|warmest|friendly|good)?( personal)? ?(regards|wishes|greetings)',
    'best|all the best|cheers|take care|respectfully|cordially|sincerely|sincerely yours|yours',
    'yours (truly|sincerely|faithfully)|thanks|thanks (again|a lot|so much|in advance)|many thanks|thank you( very much| so much| again)?',
    'thanks( and|,| &) (best |kind )?regards',
    'mit (freundlichen|besten|herzlichen) grüßen|(freundliche|viele|liebe|beste|herzliche|schöne) grüße|gruß|grüße|mfg|vg|lg',
    '(bien )?cordialement|bien à vous|(meilleures )?salutations|amicalement',
    '(un |muchos )?(cordial )?saludos?( cordial(es)?)?|atentamente|gracias',
    '(cordiali|distinti) saluti|saluti|grazie',
    'atenciosamente|cumprimentos|abraços?|obrigad[oa]',
    '(met )?(vriendelijke|hartelijke) groet(en)?|groet(en|jes)?|mvg',
    '(med )?vänlig(a)? hälsning(ar)?|(med )?(venlig|vennlig) hilsen|mvh|hälsningar|hilsen',
    'pozdrawiam|z poważaniem|с уважением|此致|敬具|よろしくお願いします',
  ].join('|')})[\\s,.!–-]*$`,
  'iu',
)

/**
 * Keeps the newest part of a conversation: without quotes and what introduces them and, where asked, without the
 * signature and its closing phrase. A mail that is nothing but a forwarded one is kept. Never throws.
 */
export function newestText(text: string, options: NewestOptions): string {
  const lines = text.split(/\r\n|\r|\n/).slice(0, MAX_LINES)
  const newest = withoutQuotes(lines, options)
  return tidy(options.removesConclusion ? withoutConclusion(newest) : newest)
}

/** No blank lines around, at most one between, no spaces at the ends of lines. */
function tidy(lines: readonly string[]): string {
  return lines
    .map((line) => line.trimEnd())
    .join('\n')
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^\n+|\n+$/g, '')
}

function withoutQuotes(lines: readonly string[], options: NewestOptions): readonly string[] {
  const plain = lines.map(withoutMarkup)
  const kept: string[] = []
  let at = 0
  while (at < lines.length) {
    if (isHistory(plain, at)) return kept.some((line) => line.trim() !== '') ? kept : lines
    const introduction = introductionAt(plain, at)
    if (introduction > 0) {
      const next = nextFilled(plain, at + introduction)
      const isQuoteNext = isQuoted(lines[next])
      if (!isQuoteNext && !options.quotesAreGone) return kept
      at = isQuoteNext ? endOfQuote(lines, next) : at + introduction
      continue
    }
    const line = lines[at] ?? ''
    if (!options.dropsQuoteLines || !isQuoted(line)) kept.push(line)
    at += 1
  }
  return kept
}

/** What Markdown put around words. */
function withoutMarkup(line: string): string {
  return line
    .slice(0, MAX_INTRODUCTION_CHARS + 1)
    .replace(/\\(?=[^\w\s])|\*\*|^\*|\*$/g, '')
    .trim()
}

function isQuoted(line: string | undefined): boolean {
  return line !== undefined && /^\s{0,3}>/.test(line)
}

function nextFilled(lines: readonly string[], from: number): number {
  let at = from
  while (at < lines.length && lines[at] === '') at += 1
  return at
}

function endOfQuote(lines: readonly string[], from: number): number {
  let at = from
  while (at < lines.length && (isQuoted(lines[at]) || (lines[at] ?? '').trim() === '')) at += 1
  return at
}

/** @returns how many lines introduce a quote here; 0 for none */
function introductionAt(lines: readonly string[], at: number): number {
  let joined = ''
  for (let count = 1; count <= MAX_INTRODUCTION_LINES; count += 1) {
    const line = lines[at + count - 1] ?? ''
    if (line === '') return 0
    joined = joined === '' ? line : `${joined} ${line}`
    if (joined.length > MAX_INTRODUCTION_CHARS) return 0
    // With a time or an address: "on that matter I wrote:" is a sentence.
    if (/[:：]$/.test(joined) && /[\d@]/.test(joined)) {
      if (INTRODUCTIONS.some((pattern) => pattern.test(joined))) return count
    }
  }
  return 0
}

/** Tells whether the rest of the mail is an earlier message with its headers. */
function isHistory(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? ''
  if (SEPARATOR.test(line)) return true
  if (/^_{10,}$/.test(line)) return isHeaderBlock(lines, nextFilled(lines, at + 1))
  return isHeaderBlock(lines, at)
}

function isHeaderBlock(lines: readonly string[], at: number): boolean {
  if (!FROM.test(lines[at] ?? '')) return false
  const next = lines.slice(at + 1, at + 10).filter((line) => line !== '')
  return (
    next.slice(0, 5).some((line) => SENT.test(line)) &&
    next.slice(0, 6).some((line) => TO_OR_SUBJECT.test(line))
  )
}

function withoutConclusion(lines: readonly string[]): readonly string[] {
  const plain = lines.map(withoutMarkup)
  const delimiter = plain.findLastIndex((line) => line === '--' || line === '—')
  const beforeDelimiter = delimiter > 0 ? delimiter : lines.length
  const kept = lines.slice(0, beforeDelimiter).filter((_line, at) => !DEVICE.test(plain[at] ?? ''))
  return kept.slice(0, closingOf(kept))
}

/** @returns where the closing phrase begins; the number of lines where there is none */
function closingOf(lines: readonly string[]): number {
  const plain = lines.map(withoutMarkup)
  let following = 0
  for (let at = plain.length - 1; at > 0 && following <= MAX_SIGNATURE_LINES; at -= 1) {
    const line = plain[at] ?? ''
    if (line === '') continue
    if (line.length > MAX_SIGNATURE_LINE_CHARS) break
    if (line.length < 60 && CLOSING.test(line) && plain.slice(0, at).some((each) => each !== '')) return at
    following += 1
  }
  return lines.length
}
