// The kinds of links in mails, by page: the words before the click, the request, and the words after it.

import { h } from '../../dom.js';
import { field, inputField, newPassword, passwordOwner } from '../../fields.js';
import { plural } from '../../format.js';
import { codeInput } from './check_mail.js';
import { buttonLink, lastLine, link, toLogin } from './card.js';

const address = (email) => h('strong', { class: 'breakable' }, email);
const home = () => buttonLink('overview', 'Go to the console');
const nameField = (value = '') =>
  inputField('Name', { name: 'name', autocomplete: 'name', required: true, maxlength: 100, value });

/**
 * `describe(link)` returns `{heading, text, fields, hint}` of a link as the server describes it, and `done(data)` the
 * words after the click. `onward()` is the way on after a link that does not work. A page with `withoutToken` also
 * takes the code of the mail.
 */
export const LINKS = {
  'confirm-sign-up': {
    title: 'Confirm your email',
    path: '/api/auth/signup/complete',
    logsIn: true,
    action: 'Create account',
    describe: ({ email }) => ({
      heading: 'Confirm your email',
      text: ['Create the account for ', address(email), ' and log in.'],
      hint: 'If you did not sign up, close this page. No account is created then.',
    }),
    onward: () => [
      buttonLink('overview', 'Log in'),
      lastLine('No account yet? Sign up again on the login page.'),
    ],
  },
  'reset-password': {
    title: 'Set a new password',
    path: '/api/auth/password/reset',
    action: 'Set new password',
    describe: ({ email }) => ({
      heading: 'Set a new password',
      text: ['For ', address(email), '. All sessions of this account will end.'],
      fields: [passwordOwner(email), newPassword('newPassword')],
    }),
    done: ({ terminated }) => ({
      heading: 'Password changed',
      text: `You can log in with the new password now.${terminated ? ` ${plural(terminated, 'session')} ended.` : ''}`,
      onward: buttonLink('overview', 'Log in'),
    }),
    onward: () => [buttonLink('forgot-password', 'Send a new mail'), lastLine(toLogin('Back to the login'))],
  },
  'verify-email': {
    title: 'Verify your email',
    path: '/api/auth/email/verify',
    action: 'Verify email',
    describe: ({ email }) => ({
      heading: 'Verify your email',
      text: ['Confirm that ', address(email), ' is your address.'],
    }),
    done: ({ email }) => ({
      heading: 'Email verified',
      text: ['Thank you. ', address(email), ' is verified.'],
    }),
    onward: () => [buttonLink('account', 'Open your account'), lastLine('You can send a new mail there.')],
  },
  'confirm-email': {
    title: 'Confirm your new email',
    path: '/api/auth/email/confirm',
    action: 'Use this email',
    describe: ({ email }) => ({
      heading: 'Confirm your new email',
      text: ['From now on, you will log in with ', address(email), '.'],
      hint: 'The old address gets a mail with which this can be undone.',
    }),
    done: ({ email }) => ({
      heading: 'Email changed',
      text: ['Log in with ', address(email), ' from now on.'],
    }),
    onward: () => [
      buttonLink('account', 'Open your account'),
      lastLine('You can change the address again there.'),
    ],
  },
  'undo-email': {
    title: 'Restore your email',
    path: '/api/auth/email/undo',
    action: 'Restore this email',
    describe: ({ email }) => ({
      heading: 'Restore your email',
      text: ['The account will have ', address(email), ' again. All its sessions and its password will end.'],
      hint: 'Do this if you did not change the address yourself. A mail for a new password follows.',
    }),
    done: ({ email }) => ({
      heading: 'Email restored',
      text: ['The account has ', address(email), ' again. Set a new password with the mail that we sent to it.'],
      onward: [buttonLink('forgot-password', 'Send that mail again'), lastLine(toLogin())],
    }),
    onward: () => [home(), lastLine('If your account is in danger, ask an administrator to disable it.')],
  },
  invitation: {
    title: 'Invitation',
    path: '/api/auth/invitations/accept',
    logsIn: true,
    action: 'Create account',
    describe: ({ email, name, role, inviter }) => ({
      heading: 'Welcome to DriftSentry',
      text: [inviter ?? 'An administrator', ' invited ', address(email), role && ` as ${role}`, '.'],
      fields: [nameField(name ?? ''), passwordOwner(email), newPassword('password', 'Password')],
    }),
    withoutToken: () => ({
      heading: 'Accept an invitation',
      text: 'Open the link in the mail, or enter its code here.',
      fields: [
        inputField('Email', { name: 'email', type: 'email', autocomplete: 'username', required: true }),
        field('Code from the mail', codeInput()),
        nameField(),
        newPassword('password', 'Password'),
      ],
    }),
    onward: () => [
      buttonLink('overview', 'Log in'),
      lastLine('Ask the person who invited you for a new invitation.'),
    ],
  },
  'log-in': {
    title: 'Log in',
    path: '/api/auth/login/email/complete',
    logsIn: true,
    action: 'Log in',
    describe: ({ email }) => ({
      heading: 'Log in',
      text: ['Log in as ', address(email), ' in this browser.'],
    }),
    onward: () => [buttonLink('overview', 'Log in'), lastLine('You can get a new link on the login page.')],
  },
};
