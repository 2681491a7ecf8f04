import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCli } from '../support/cli.ts'

let directory: string
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-deadletter-'))
})
afterAll(() => rm(directory, { recursive: true }))

// A replay that was stopped reported that all letters had been replayed.
test('a replay that is stopped reports that not all was replayed, and exits with 0', async () => {
  const letter = {
    topic: 'orders',
    partition: 0,
    offset: '7',
    timestamp: 1_767_225_600_000,
    key: null,
    value: '{"id":1}',
    headers: [],
    error: { code: 'STAGE_FAILED', message: 'no', component: '$set', pipeline: 'orders', attempts: 1 },
  }
  const file = join(directory, 'dead.jsonl')
  await writeFile(file, `${JSON.stringify(letter)}\n`)
  const silent = createServer()
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve))
  const connected = new Promise((resolve) => silent.once('connection', resolve))
  const broker = `127.0.0.1:${(silent.address() as AddressInfo).port}`
  const running = startCli(['deadletter', 'replay', file, '-b', broker, '--yes'])
  try {
    await connected
    running.child.kill('SIGTERM')
    expect(await running.ended).toMatchObject({
      code: 0,
      stdout:
        'Stopped before all of 1 dead letter (1 STAGE_FAILED) were replayed to orders; the same command continues from there\n',
    })
  } finally {
    running.child.kill('SIGKILL')
    silent.close()
  }
})
