import { expect, test } from 'vitest'
import { Readable } from 'node:stream'
import { readRows } from '../../../src/functions/rows/read-rows.ts'

// Every ü of a file in Latin-1 was written as U+FFFD.
test.each(['csv', 'jsonl', 'records', 'raw'] as const)('text that is not UTF-8 is an error: %s', async (format) => {
  const stream = Readable.from([Buffer.from('["M'), Buffer.of(0xfc), Buffer.from('ller"]')], { objectMode: false })
  await expect(Array.fromAsync(readRows(stream, 'names', { format }))).rejects.toMatchObject({
    code: 'DECODE_FAILED',
    message: 'Cannot read "names": it is not UTF-8 text',
  })
})

test('a character may come in two pieces', async () => {
  const stream = Readable.from([Buffer.of(0x22, 0xc3), Buffer.of(0xbc, 0x22)], { objectMode: false })
  expect((await Array.fromAsync(readRows(stream, 'names', { format: 'jsonl' })))[0]!.rows).toEqual([{ value: 'ü' }])
})
