/**
 * Watching running pipelines from outside: metrics, health, status and the dashboard over HTTP. Level 4: it reads what the engine
 * keeps (`engine/watching/`) and knows no component and no dialect.
 */
export { Monitor, type Status } from './monitor.ts'
export { type RunningServer, type ServerOptions, startServer } from './server.ts'
export { ownVersion } from './version.ts'
