import { EventEmitter } from 'node:events'
import { expect, test } from 'vitest'
import { Monitor } from '../../src/serve/index.ts'
import { Streams } from '../../src/serve/stream.ts'
import { fakePipeline } from '../support/watched.ts'

// A tab in the background takes nothing; what is sent to it must not pile up.
test('a client that has not taken the last snapshot gets no other, and then the latest', () => {
  const monitor = new Monitor('1')
  const pipeline = fakePipeline()
  monitor.add(pipeline)
  let look = (): void => {}
  const streams = new Streams({
    history: () => monitor.history(),
    status: (partitions) => monitor.status(partitions),
    onLook: (listener) => {
      look = listener
      return () => (look = () => {})
    },
  })
  const texts: string[] = []
  const client = Object.assign(new EventEmitter(), {
    writableLength: 0,
    writeHead: () => {},
    write: (text: string | Buffer) => texts.push(...text.toString().match(/^event: .*$\n.*/gm)!) > 0,
    end: () => {},
  })
  expect(streams.open(client as unknown as Parameters<Streams['open']>[0])).toBe(true) // what is used of a response
  expect(texts.map((text) => /event: (\w+)/.exec(text)![1])).toEqual(['history', 'status'])
  client.writableLength = 1000
  for (let second = 0; second < 60; second++) {
    pipeline.records++
    look()
  }
  expect(texts).toHaveLength(2)
  client.writableLength = 0
  look()
  expect(texts).toHaveLength(3)
  expect(texts[2]).toContain('"read":{"records":60')
  client.emit('close')
  look()
  expect(texts).toHaveLength(3)
})
