import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cli } from '../support/cli.ts'

// It tried for ten seconds, and only then said anything.
test('tries each address once, and prints what it has found so far', async () => {
  let connections = 0
  const servers = Array.from({ length: 2 }, () =>
    createServer((socket) => {
      connections++
      socket.destroy()
    }).listen(0, '127.0.0.1'),
  )
  await Promise.all(servers.map((server) => once(server, 'listening')))
  const addresses = servers.map((server) => `127.0.0.1:${(server.address() as AddressInfo).port}`)
  const directory = await mkdtemp(join(tmpdir(), 'millrace-check-'))
  try {
    const file = join(directory, 'p.yaml')
    await writeFile(
      file,
      `source: {type: kafka, topic: a, groupId: g, bootstrapServers: "${addresses.join(',')}"}\nsink: {type: stdout}\n`,
    )
    const { code, stdout } = await cli(['check', file])
    expect(code).toBe(3)
    expect(stdout.split('\n').map((line) => line.replaceAll(/ [\d.]+ ms/g, '').replaceAll(/ +/g, ' '))).toEqual([
      'source kafka',
      ' ok configuration can be used',
      expect.stringMatching(/^ FAILED connection BROKER_UNREACHABLE: /),
      ' - topic not tried',
      ' - group not tried',
      'sink stdout',
      ' ok configuration can be used',
      'p: 1 check failed',
      '',
    ])
    expect(connections).toBe(2)
  } finally {
    for (const server of servers) server.close()
    await rm(directory, { recursive: true })
  }
})
