/** A word to the person over the desktop. */
import type { IconName } from '../parts/icons';

export interface Said {
  words: string;
  tone: 'calm' | 'stop';
  icon: IconName;
  /** The gate's own words on why. */
  why?: string;
  /** The rule that decided. */
  rule?: string;
  /** Something that the person may do about it. */
  act?: { label: string; run: () => void };
}
