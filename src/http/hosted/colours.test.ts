import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { contrastOf, paletteOf } from './colours.ts'

const hex = fc
  .tuple(
    fc.constantFrom(3, 4, 6, 8),
    fc.array(fc.constantFrom(...'0123456789abcdefABCDEF'.split('')), { minLength: 8, maxLength: 8 }),
  )
  .map(([length, digits]) => `#${digits.join('').slice(0, length)}`)

test('text can be read whatever colours an application chose', () => {
  fc.assert(
    fc.property(hex, hex, hex, (colorPrimary, colorSecondary, backgroundColor) => {
      const palette = paletteOf({ colorPrimary, colorSecondary, backgroundColor })
      for (const colour of Object.values(palette)) assert.match(colour, /^#[0-9a-f]{6}$/)
      assert.ok(contrastOf(palette.primary, palette.onPrimary) >= 4.5)
      assert.ok(contrastOf(palette.primaryEdge, '#fff') >= 3)
      assert.ok(contrastOf(palette.link, '#fff') >= 4.5)
    }),
  )
})

test('what is no colour never gets into the page', () => {
  const standard = paletteOf({ colorPrimary: null, colorSecondary: null, backgroundColor: null })
  for (const bad of [
    'red',
    '#12',
    '#12345',
    '#1234567',
    '#123456;}',
    'url(x)',
    ' #123456',
    '#12345g',
    '#123\n',
  ]) {
    assert.deepEqual(
      paletteOf({ colorPrimary: bad, colorSecondary: bad, backgroundColor: bad }),
      standard,
      bad,
    )
  }
})

test('contrast is that of WCAG', () => {
  assert.equal(contrastOf('#000', '#fff').toFixed(2), '21.00')
  assert.equal(contrastOf('#767676', '#ffffff').toFixed(2), '4.54')
  assert.equal(contrastOf('#00000080', '#fff').toFixed(1), contrastOf('#7f7f7f', '#fff').toFixed(1))
})
