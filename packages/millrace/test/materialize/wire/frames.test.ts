import { describe, expect, test } from 'vitest'
import { type Codec, Frames, MAX_MESSAGE_BYTES } from '../../../src/materialize/wire/frames.ts'

function frame(body: string | Buffer): Buffer {
  const bytes = Buffer.from(body)
  const length = Buffer.alloc(4)
  length.writeUInt32LE(bytes.length)
  return Buffer.concat([length, bytes])
}

/** All messages of an input that arrives in pieces of some size. */
function cut(input: Buffer, size: number, codec?: Codec): { messages: string[]; codec: Codec | undefined } {
  const frames = new Frames(codec)
  const messages: string[] = []
  for (let at = 0; at < input.length; at += size) {
    frames.push(input.subarray(at, at + size))
    while (frames.next()) messages.push(frames.bytes.toString('latin1', frames.start, frames.end))
  }
  if (frames.last()) messages.push(frames.bytes.toString('latin1', frames.start, frames.end))
  return { messages, codec: frames.codec }
}

describe('frames', () => {
  const proto = Buffer.concat([frame('one'), frame(''), frame(Buffer.alloc(700_000, 'x')), frame('last')])
  const json = Buffer.from(`{"a":1}\n\n{"b":"${'y'.repeat(600_000)}"}\r\n{"c":3}\n`)

  test.each([1021, 65_536, 1 << 20])('are the same whatever the size of the pieces: %i bytes', (size) => {
    expect(cut(proto, size).messages).toEqual(['one', '', 'x'.repeat(700_000), 'last'])
    expect(cut(json, size).messages).toEqual(['{"a":1}', `{"b":"${'y'.repeat(600_000)}"}`, '{"c":3}'])
  })

  test('are cut at every byte', () => {
    const small = Buffer.concat([frame('one'), frame('two')])
    expect(cut(small, 1).messages).toEqual(['one', 'two'])
    expect(cut(Buffer.from('{"a":1}\n{"b":2}\n'), 1).messages).toEqual(['{"a":1}', '{"b":2}'])
  })

  test('have the codec that their first byte shows, unless it is given', () => {
    const odd = frame('{'.repeat(0x7b))
    expect(cut(proto, 100).codec).toBe('proto')
    expect(cut(json, 100).codec).toBe('json')
    expect(cut(odd, 100).codec).toBe('json')
    expect(cut(odd, 100, 'proto').messages).toEqual(['{'.repeat(0x7b)])
  })

  test('leave out a partial message at the end of input', () => {
    expect(cut(proto.subarray(0, 5), 100).messages).toEqual([])
    expect(cut(Buffer.from('{"a":1}\n{"b":'), 100).messages).toEqual(['{"a":1}'])
  })

  test('include a last line that lacks its line feed', () => {
    expect(cut(Buffer.from('{"a":1}\n{"b":2}'), 3).messages).toEqual(['{"a":1}', '{"b":2}'])
  })

  test('refuse a message that is too large as soon as its length is there', () => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE(MAX_MESSAGE_BYTES + 1)
    expect(() => cut(length, 4)).toThrow(/Cannot read a message of \d+ bytes.*FLOW_RUNTIME_CODEC/)
  })
})
