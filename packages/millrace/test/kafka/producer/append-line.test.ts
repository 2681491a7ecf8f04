import { beforeEach, describe, expect, test } from 'vitest'
import { Cluster } from '../../../src/kafka/cluster/cluster.ts'
import { AppendLine } from '../../../src/kafka/producer/append-line.ts'

describe('the line of calls that append', () => {
  let line: AppendLine
  const done: string[] = []
  beforeEach(() => {
    done.length = 0
    const cluster = new Cluster({ bootstrapServers: ['127.0.0.1:1'], clientId: 'line' })
    line = new AppendLine(cluster, {} as never, {} as never, {} as never, {} as never, undefined)
  })

  const work =
    (name: string, waits: Promise<void> = Promise.resolve()) =>
    async (): Promise<void> => {
      done.push(`${name} begins`)
      await waits
      done.push(`${name} ends`)
    }

  test('starts at once when it is empty', () => {
    void line.run(work('a'))
    expect(done).toEqual(['a begins'])
  })

  test('runs one after the other, in the order of the calls', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const all = [line.run(work('a', promise)), line.run(work('b')), line.run(work('c'))]
    expect(done).toEqual(['a begins'])
    resolve()
    await Promise.all(all)
    expect(done).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends'])
  })

  test('a call that fails does not hold up the next one', async () => {
    const failing = line.run(() => Promise.reject(new Error('no')))
    const next = line.run(work('b'))
    await expect(failing).rejects.toThrow('no')
    await next
    expect(done).toEqual(['b begins', 'b ends'])
  })

  test('is idle when the last call has ended', async () => {
    void line.run(work('a'))
    void line.run(work('b'))
    await line.idle()
    expect(done).toEqual(['a begins', 'a ends', 'b begins', 'b ends'])
  })
})
