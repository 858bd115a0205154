// The daemon's own metrics, each named once; /metrics serves the registry that they stand in.
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Everything that a relayer counts; all names start with `truss_`. */
export type Metrics = ReturnType<typeof createMetrics>

/**
 * A fresh registry with every metric of a relayer at its initial value. Labels never carry secrets; addresses are public.
 * @param process whether the registry also shows memory, CPU and event loop of the process
 */
export function createMetrics({ process = false }: { process?: boolean } = {}) {
  const registry = new Registry()
  const registers = [registry]
  if (process) collectDefaultMetrics({ register: registry })
  const gauge = (name: string, help: string) => new Gauge({ name: `truss_${name}`, help, registers })
  return {
    registry,
    headBlock: gauge('head_block', 'Latest block that the first endpoint to answer reports.'),
    finalisedBlock: gauge('finalised_block', 'Highest final block that enough endpoints agree on.'),
    cursorBlock: gauge('cursor_block', 'Final block up to which events are handled.'),
    epoch: gauge('epoch', 'Running epoch; 0 before the first activation.'),
    pendingEpoch: gauge('pending_epoch', 'Pending epoch; 0 if no change is pending.'),
    phase: new Gauge({
      name: 'truss_phase',
      help: 'Phase of the committee on chain: 1 for the one that holds.',
      labelNames: ['phase'],
      registers,
    }),
    members: gauge('committee_members', 'Members of the running committee.'),
    threshold: gauge('committee_threshold', 'Signers needed in the running committee.'),
    connected: gauge(
      'committee_connected',
      'Members of the running committee with a live connection, self included.',
    ),
    attempt: gauge('attempt', 'Number of the ceremony attempt that is under way; -1 if none is.'),
    failedAttempts: gauge('failed_attempts', 'Failed attempts of the ceremony that is under way.'),
    signatures: new Counter({
      name: 'truss_signatures_total',
      help: 'Signing requests led by this node, by outcome.',
      labelNames: ['outcome'],
      registers,
    }),
    signatureSeconds: new Histogram({
      name: 'truss_signature_seconds',
      help: 'Time of a signing request led by this node.',
      buckets: [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    transactions: new Counter({
      name: 'truss_transactions_total',
      help: 'Transactions of this node, by function and outcome.',
      labelNames: ['method', 'outcome'],
      registers,
    }),
    rpcErrors: new Counter({
      name: 'truss_rpc_errors_total',
      help: 'Reads of the chain that failed, by reason.',
      labelNames: ['reason'],
      registers,
    }),
    balance: gauge('account_balance_ether', "Balance of the operator's account."),
    receiptsMissing: gauge(
      'receipts_missing',
      'Deletion receipts that the last reshare still needs, over all epochs.',
    ),
    alarms: new Gauge({
      name: 'truss_alarm',
      help: 'Health checks that are not well, 1 each, by check and severity.',
      labelNames: ['check', 'severity'],
      registers,
    }),
    obstacles: new Gauge({
      name: 'truss_ceremony_obstacles',
      help: 'Members that hold the pending ceremony up, by reason; `truss status` names them.',
      labelNames: ['reason'],
      registers,
    }),
    otherBridgeEvents: new Counter({
      name: 'truss_other_bridge_governance_events_total',
      help: 'Governance events of a bridge on another chain; none of them may be, and none starts anything.',
      labelNames: ['chain', 'bridge'],
      registers,
    }),
    evidence: gauge('evidence_records', 'Evidence records that are stored.'),
    refusedStreams: new Counter({
      name: 'truss_refused_streams_total',
      help: 'Streams that were refused because of the tier of the peer, by protocol and reason.',
      labelNames: ['protocol', 'reason'],
      registers,
    }),
    droppedFrames: new Counter({
      name: 'truss_dropped_frames_total',
      help: 'Frames that were dropped at a limit, by protocol and reason.',
      labelNames: ['protocol', 'reason'],
      registers,
    }),
  }
}
