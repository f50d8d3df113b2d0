import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readClientConfig } from './client-config.ts'
import { readHostName } from './host-name.ts'

const config = (servers: string) =>
  `<?xml version="1.0" encoding="UTF-8"?><clientConfig version="1.1"><emailProvider id="x">${servers}</emailProvider></clientConfig>`
const server = (type: string, host: string, port: string | number, socket: string) =>
  `<${type === 'smtp' ? 'outgoing' : 'incoming'}Server type="${type}"><hostname>${host}</hostname><port>${port}</port><socketType>${socket}</socketType></${type === 'smtp' ? 'outgoing' : 'incoming'}Server>`

test('takes the first server of each protocol that uses TLS', () => {
  const xml = config(
    [
      server('pop3', 'pop.x.example', 995, 'SSL'),
      server('imap', 'plain.x.example', 143, 'plain'),
      server('imap', 'imap.x.example', 993, 'SSL'),
      server('imap', 'other.x.example', 143, 'STARTTLS'),
      server('smtp', 'smtp.%EMAILDOMAIN%', 587, 'STARTTLS'),
    ].join('\n'),
  )
  assert.deepEqual(readClientConfig(xml, 'x.example', 'ann@x.example'), {
    imap: { host: 'imap.x.example', port: 993, tls: 'implicit' },
    smtp: { host: 'smtp.x.example', port: 587, tls: 'starttls' },
  })
})

test('leaves out what is no host, no port or no TLS', () => {
  for (const [host, port, socket] of [
    ['127.0.0.1', 993, 'SSL'],
    ['localhost', 993, 'SSL'],
    ['[::1]', 993, 'SSL'],
    ['imap.x.example/path', 993, 'SSL'],
    ['user@imap.x.example', 993, 'SSL'],
    ['imap.x.example:25', 993, 'SSL'],
    ['', 993, 'SSL'],
    ['imap.x.example', 0, 'SSL'],
    ['imap.x.example', 70_000, 'SSL'],
    ['imap.x.example', '9.5', 'SSL'],
    ['imap.x.example', '', 'SSL'],
    ['imap.x.example', 143, 'plain'],
    ['%EMAILADDRESS%', 993, 'SSL'],
  ] as const) {
    assert.equal(
      readClientConfig(config(server('imap', host, port, socket)), 'x.example', 'ann@x.example'),
      null,
      `${host} ${port}`,
    )
  }
})

test('expands no entity and reads no document type', () => {
  const inner = server('imap', '&host;', 993, 'SSL')
  const dtd = '<!DOCTYPE clientConfig [<!ENTITY host SYSTEM "file:///etc/passwd">]>'
  assert.equal(readClientConfig(`${dtd}${config(inner)}`, 'x.example', 'ann@x.example'), null)
  assert.equal(readClientConfig(config(inner), 'x.example', 'ann@x.example'), null)
  const good = server('imap', 'imap.x.example', 993, 'SSL')
  assert.equal(
    readClientConfig(
      `<!DOCTYPE clientConfig [<!ENTITY x "y">]>${config(good)}`,
      'x.example',
      'ann@x.example',
    ),
    null,
  )
  assert.equal(
    readClientConfig(config(good.repeat(2000)), 'x.example', 'ann@x.example'),
    null,
    'too long to be one',
  )
})

test('any text is a configuration or none, never a throw', () => {
  const part = fc.constantFrom(
    '<clientConfig>',
    '</clientConfig>',
    '<emailProvider',
    '>',
    '<incomingServer type="imap">',
    '<hostname>',
    'a.b',
    '<port>',
    '993',
    ']]>',
    '<![CDATA[',
    '<!--',
    '<?x',
    '&amp;',
    '__proto__',
    '<__proto__>',
  )
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.array(part).map((parts) => parts.join('')),
      ),
      (text) => {
        readClientConfig(text, 'x.example', 'ann@x.example')
      },
    ),
  )
})

test('host names: in ASCII and lower case, or none', () => {
  assert.equal(readHostName(' IMAP.Example.COM. '), 'imap.example.com')
  assert.equal(readHostName('bücher.example'), 'xn--bcher-kva.example')
  for (const text of [
    '',
    '.',
    'a',
    '10.0.0.1',
    '0x7f.1',
    'a..b.c',
    '-a.example',
    'a b.example',
    'x'.repeat(300),
    'a.example/..',
  ]) {
    assert.equal(readHostName(text), undefined, text)
  }
})

test('makes the user name by its template, where it is another than the address', () => {
  const named = (template: string) =>
    readClientConfig(
      config(
        server('imap', 'imap.x.example', 993, 'SSL').replace(
          '</incomingServer>',
          `<username>${template}</username></incomingServer>`,
        ),
      ),
      'x.example',
      'ann.lee@x.example',
    )?.imap?.username
  assert.equal(named('%EMAILLOCALPART%'), 'ann.lee')
  assert.equal(named('%EMAILLOCALPART%.%EMAILDOMAIN%'), 'ann.lee.x.example')
  for (const template of [
    '%EMAILADDRESS%',
    '%EMAILLOCALPART%@%EMAILDOMAIN%',
    '',
    'root',
    '%USER%',
    'a %EMAILLOCALPART%',
  ]) {
    assert.equal(named(template), undefined, template)
  }
})
