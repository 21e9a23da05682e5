import * as vscode from 'vscode';
import { AuroraError } from '../../base/errors';
import { t } from '../../base/l10n';
import { messageOf } from '../ask/message-of';
import { inputBox } from '../messages/input';
import { notify } from '../messages/notify';
import type { Services } from '../services';
import { hubHost, hubPage } from './host';

/**
 * The token of the user's account on the hub. It is in VS Code's secret storage, leaves it only in the environment of
 * `aurora get` and `aurora publish`, and must not appear in any text.
 */
const KEY = 'huggingFaceToken';

export const storedToken = ({ secrets }: vscode.ExtensionContext): Thenable<string | undefined> =>
  secrets.get(KEY);

/** Asks for a token and keeps it. False if the user canceled. */
export async function signIn({ secrets }: vscode.ExtensionContext): Promise<boolean> {
  const create = { iconPath: new vscode.ThemeIcon('link-external'), tooltip: t('Create a Token…') };
  const { input, refuse } = inputBox({
    title: t('Sign In to Hugging Face'),
    prompt: t(
      'A token from {0}. Read access is enough to download; publishing needs write access. The token is kept in the secret storage of VS Code and sent to {1} only.',
      hubPage('settings/tokens'),
      hubHost(),
    ),
    placeholder: 'hf_…',
    password: true,
    ignoreFocusOut: true,
    buttons: [create],
  });
  const token = await new Promise<string | undefined>((resolve) => {
    const end = (text?: string) => {
      resolve(text);
      input.dispose();
    };
    input.onDidTriggerButton(
      () => void vscode.env.openExternal(vscode.Uri.parse(hubPage('settings/tokens'))),
    );
    input.onDidChangeValue(() => refuse(undefined));
    input.onDidAccept(() => {
      const text = input.value.trim();
      if (/^[\x21-\x7e]+$/.test(text)) end(text);
      else refuse(text === '' ? t('Enter a token.') : t('A token cannot contain spaces.'));
    });
    input.onDidHide(() => end());
    input.show();
  });
  if (token === undefined) return false;
  await secrets.store(KEY, token);
  return true;
}

export async function signOut({ secrets }: vscode.ExtensionContext): Promise<void> {
  const was = (await secrets.get(KEY)) !== undefined;
  await secrets.delete(KEY);
  const others = ['HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN'].filter((name) => process.env[name]);
  const left = others.length > 0 ? [t('The environment variable {0} still gives access.', others[0])] : [];
  const done = was
    ? t('The token was removed from VS Code.')
    : t('You are not signed in to Hugging Face in VS Code.');
  void notify.information([done, ...left].join(' '));
}

/** Offers to sign in after a refusal. @returns true to try again */
export async function offerSignIn(
  context: vscode.ExtensionContext,
  message: string,
  page: string,
): Promise<boolean> {
  const signedIn = (await storedToken(context)) !== undefined;
  const sign = signedIn ? t('Use Another Token') : t('Sign In');
  const open = t('Open Page');
  for (;;) {
    const picked = await notify.error(message, sign, open);
    if (picked === open) void vscode.env.openExternal(vscode.Uri.parse(page));
    else return picked === sign && (await signIn(context));
  }
}

/**
 * Runs a request to the hub. If access is refused, the user may sign in and try again.
 *
 * @param page of the repository, where its conditions are accepted
 * @returns undefined if it was refused, or the user canceled
 * @throws any other error
 */
export async function withAccess<T>(
  { context }: Services,
  page: string,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  for (;;) {
    try {
      return await ask();
    } catch (e) {
      if (!(e instanceof AuroraError)) throw e;
      if (e.kind === 'stopped') return undefined;
      if (e.kind !== 'gated') throw e;
      if (!(await offerSignIn(context, messageOf(e), page))) return undefined;
    }
  }
}
