import { mkdtemp, open, readdir, rm, type FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { decodeRows } from '../../../src/functions/rows/kafka-rows.ts'
import { Spool } from '../../../src/functions/rows/spool.ts'
import { batchOfDocuments } from '../../support/batches.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-spool-'))
})
afterAll(() => rm(directory, { recursive: true }))

describe('rows that wait for the end of a run', () => {
  // A run that was killed, or whose reader went away, left its rows behind in a file.
  test('are read as often as wanted, from a file that has no name', async () => {
    const spool = new Spool(join(directory, 'rows'), 3)
    await spool.open()
    for (const rows of [
      [{ a: 1 }, { b: 2 }],
      [{ a: 3 }, { a: 4 }],
    ]) {
      const batch = batchOfDocuments(rows)
      decodeRows(batch, false)
      await spool.append(batch)
    }
    expect(await readdir(directory)).toEqual([])
    for (let time = 0; time < 2; time++)
      expect(await Array.fromAsync(spool.texts())).toEqual(['{"a":1}', '{"b":2}', '{"a":3}'])
    expect([spool.count, spool.columns]).toEqual([3, ['a', 'b']])
    await spool.remove()
    await spool.remove()
  })

  // A retry appended the whole batch behind what the first attempt had written of it.
  test('are there once where the disk was full in the middle of a batch', async () => {
    const spool = new Spool(join(directory, 'full'))
    await spool.open()
    const [first, second] = [[{ a: 1 }, { a: 2 }], [{ a: 3 }]].map((rows) => {
      const batch = batchOfDocuments(rows)
      decodeRows(batch, false)
      return batch
    })
    await using any = await open(join(directory, 'any'), 'w')
    const prototype = Object.getPrototypeOf(any) as FileHandle
    const full = vi.spyOn(prototype, 'write')
    full.mockImplementationOnce(async function (this: FileHandle, bytes: Buffer) {
      await this.appendFile(bytes.subarray(0, 5))
      throw Object.assign(new Error('no space left'), { code: 'ENOSPC', syscall: 'write' })
    } as never)
    await expect(spool.append(first!)).rejects.toThrow('no space left')
    expect([spool.count, spool.bytes]).toEqual([0, 0])
    await spool.append(first!)
    await spool.append(second!)
    expect(await Array.fromAsync(spool.texts())).toEqual(['{"a":1}', '{"a":2}', '{"a":3}'])
    full.mockRestore()
    await spool.remove()
  })
})
