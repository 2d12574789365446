/**
 * Holds the shapes of types.ts to the gate's own description (docs/openapi.json, by `npm run types`): a member that the gate does not
 * send, or sends otherwise, fails `npm run check`. types.ts stays, as it says more: which words a text may be.
 */
import type { components } from './schema';
import type * as Written from './types';

type Described = components['schemas'];

/** The same shape where any text may stand for a word; what may be left out is described as null too. */
type Wide<T> = T extends string
  ? string
  : T extends readonly (infer Member)[]
    ? Wide<Member>[]
    : T extends object
      ? { [Name in keyof T]: Wide<T[Name]> | (undefined extends T[Name] ? null : never) }
      : T;

type Agrees<Ours, Gates extends Wide<Ours>> = [Ours, Gates];

export type Agreed = [
  Agrees<Written.Me, Described['Me']>,
  Agrees<Written.Ways, Described['Ways']>,
  Agrees<Written.Go, Described['Go']>,
  Agrees<Written.Policy, Described['PolicyRef']>,
  Agrees<Written.Allows, Described['Allows']>,
  Agrees<Written.Offer, Described['Desktops']>,
  Agrees<Written.Grant, Described['Opened']>,
  Agrees<Written.Session, Described['Session']>,
  Agrees<Written.DesktopFiles, Described['FileList']>,
  Agrees<Written.HandedIn, Described['Delivered']>,
  Agrees<Written.PolicyState, Described['PolicyState']>,
  Agrees<Written.Recording, Described['Recording']>,
  Agrees<Written.RecordingPage, Described['Recordings']>,
  Agrees<Written.HitPage, Described['Hits']>,
  Agrees<Written.EventsFault, Described['EventsFault']>,
  Agrees<Written.Note, Described['Note']>,
  Agrees<Written.Problem, Described['Problem']>,
];
