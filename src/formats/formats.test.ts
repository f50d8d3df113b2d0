import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isEmailAddress, parseAddressList } from './addresses.ts'
import { decodeAttachmentId, encodeAttachmentId, fitHostedId } from './attachment-id.ts'
import { snippetOfHtml, snippetOfText } from './snippet.ts'

test('reads names, bare addresses and groups', () => {
  assert.deepEqual(parseAddressList('"Moreau, Ada" <ada@acme.example>, ben@x.example'), [
    { email: 'ada@acme.example', name: 'Moreau, Ada' },
    { email: 'ben@x.example' },
  ])
  assert.deepEqual(parseAddressList('Team: a@x.example, B <b@x.example>;'), [
    { email: 'a@x.example' },
    { email: 'b@x.example', name: 'B' },
  ])
  assert.deepEqual(parseAddressList('Only a name'), [{ email: '', name: 'Only a name' }])
  assert.deepEqual(parseAddressList(''), [])
})

test('tells an address from other text', () => {
  assert.ok(isEmailAddress('zoë@example.se'))
  for (const text of ['a', 'a@', '@b', 'a b@c', 'a@b@c', '<a@b>', ''])
    assert.equal(isEmailAddress(text), false, text)
})

test('attachment ids are URL-safe and read back', () => {
  const id = encodeAttachmentId({ part: '1.2', sizeBytes: 2048 })
  assert.equal(id, 'a0.MS4yOjIwNDg')
  assert.deepEqual(decodeAttachmentId(id), { part: '1.2', sizeBytes: 2048 })
  assert.equal(decodeAttachmentId('v0:x:y:1'), undefined)
  assert.equal(decodeAttachmentId('a0.!!'), undefined)
})

test('an id of hosted services fits by name, type without parameters, and size', () => {
  const file = { filename: 'Übersicht.pdf', content_type: 'application/pdf; name="x"', size: 10 }
  const [larger, text] = [
    { ...file, size: 11 },
    { ...file, content_type: 'text/plain' },
  ]
  const base64 = (of: string) => Buffer.from(of).toString('base64')
  const fit = (size: number) =>
    fitHostedId(`v0:${base64(file.filename)}:${base64('Application/PDF')}:${size}`, [text, larger, file])
  assert.deepEqual(fit(10), { exact: file, named: [larger, file] })
  assert.deepEqual(fit(7), { exact: undefined, named: [larger, file] })
  for (const id of ['a0.MS4yOjIwNDg', 'v0:x:y', 'v0:x:y:z', 'v0:x:y:1:2', '']) {
    assert.equal(fitHostedId(id, [file]), undefined, id)
  }
})

test('a snippet is visible text, collapsed, 100 code points', () => {
  assert.equal(snippetOfText(' a\n\n b\u200b c '), 'a b c')
  assert.equal(Array.from(snippetOfText('😀'.repeat(300))).length, 100)
  assert.equal(
    snippetOfHtml(
      '<head><title>t</title></head><style>p{}</style><h1>Hello</h1><p>see <a href="https://x.example">here</a></p><img alt="no" src="x"><script>1</script>',
    ),
    'Hello see here',
  )
  assert.equal(snippetOfHtml('<div>'.repeat(20_000)), '')
})
