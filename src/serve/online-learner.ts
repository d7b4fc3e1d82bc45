import type { DecisionRecord, RewardRecord } from '../log/records.ts'

/** Learns from the server's own decisions and rewards (`--learn`), beside the snapshots that decide. */
export interface OnlineLearner {
  decided(record: DecisionRecord): void
  rewarded(record: RewardRecord): void
}
