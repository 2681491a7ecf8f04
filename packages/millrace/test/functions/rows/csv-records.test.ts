import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { textIn } from '../../../src/functions/rows/lines.ts'
import { arrivingRecordsOf, recordsOf } from '../../../src/functions/rows/csv-records.ts'

function streamOf(...parts: readonly string[]): AsyncIterable<string> {
  return Readable.from(parts)
}

async function read(records: ReturnType<typeof recordsOf>): Promise<(readonly string[])[]> {
  return (await Array.fromAsync(records)).map(({ cells }) => cells)
}

const TEXTS: readonly (readonly string[])[] = [
  ['a,b\n1,2\n', '3,4\n'],
  ['a,b\n1,2\n3', ',4'],
  ['\uFEFFa,b\r\n1,2\r\n', '3,4\r\n', '\r\n5,"6\r\n7"\r\n'],
  ['a,b\n"x\ny",', '"say ""hi""\n', '"\n', '1\n'],
  ['\n\na\n', '\n1\n'],
  ['a,ä\n1,é', 'è\n'],
  [''],
]

describe('records that arrive', () => {
  test.each(TEXTS)('%j %j are those of the text', async (...parts) => {
    const whole = await read(recordsOf(streamOf(parts.join('')), ','))
    expect(await read(arrivingRecordsOf(streamOf(...parts), ','))).toEqual(whole)
    expect(await read(arrivingRecordsOf(streamOf(...Array.from(parts.join(''))), ','))).toEqual(whole)
  })

  // The last row waited for the line behind it, which may have come hours later.
  test('go on as soon as their line has ended', async () => {
    const stream = new Readable({ read() {}, encoding: 'utf8' })
    const records = arrivingRecordsOf(stream, ',')
    stream.push('a,b\n1,2\n3,')
    expect((await records.next()).value).toEqual({ cells: ['a', 'b'], isLast: false })
    expect((await records.next()).value).toEqual({ cells: ['1', '2'], isLast: true })
    stream.push('4\n')
    expect((await records.next()).value).toEqual({ cells: ['3', '4'], isLast: true })
    stream.push(null)
    expect((await records.next()).done).toBe(true)
  })

  test('say in which line of the stream something is wrong', async () => {
    const messageOf = (records: ReturnType<typeof recordsOf>): Promise<unknown> =>
      read(records).catch((error: unknown) => (error as Error).message)
    const parts = ['a,b\n', '1,2\n\n3,4\n', '5,6,7\n']
    const whole = await messageOf(recordsOf(streamOf(parts.join('')), ','))
    expect(whole).toMatch(/line 5/)
    expect(await messageOf(arrivingRecordsOf(streamOf(...parts), ','))).toBe(whole)
  })
})

// csv.read did not end when it was asked to stop while it waited for more of the file.
test('records end with an error where what is read is closed before its end', async () => {
  const stream = new Readable({ read() {} })
  const records = recordsOf(textIn(stream), ',')
  stream.push('a,b\n1,2\n3,4\n')
  await records.next()
  stream.destroy()
  await expect(read(records)).rejects.toThrow('Premature close')
})
