import { textOfHtml } from '../snippet.ts'
import type { MailContent } from './compose-message.ts'

/**
 * Changes the body of a message that is written again. Plain text stays plain text until HTML is given, which would
 * show its tags; a body whose form alone changes is converted.
 */
export function changeBody(
  content: Pick<MailContent, 'body' | 'isPlaintext'>,
  { body, isPlaintext }: { readonly body?: string; readonly isPlaintext?: boolean },
): Pick<MailContent, 'body' | 'isPlaintext'> {
  if (body !== undefined) {
    return { body, isPlaintext: isPlaintext ?? (content.isPlaintext && !/<[a-z!/]/i.test(body)) }
  }
  if (isPlaintext === undefined || isPlaintext === content.isPlaintext) {
    return { body: content.body, isPlaintext: content.isPlaintext }
  }
  return { body: isPlaintext ? textOfHtml(content.body) : htmlOfText(content.body), isPlaintext }
}

function htmlOfText(text: string): string {
  const escaped = text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;')
  return escaped.replace(/\r\n?|\n/g, '<br>\r\n')
}
