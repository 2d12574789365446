//! Opening a session, in the order that the story has: decide, reserve a place, record, start the desktop.

use std::net::IpAddr;
use std::sync::Arc;

use portcullis_evidence::{self as evidence, Manifest, TextTerms, VERSION, What, stamp};
use portcullis_policy::{Action, Effect, Home, Mode, Rule, Situation, Stated};
use portcullis_recorder::Recording;
use portcullis_rfb::{Change, Screen};
use time::OffsetDateTime;
use tokio::sync::mpsc;

use crate::egress::Way;
use crate::greeting::greet;
use crate::identity::{Caller, same};
use crate::keeping;
use crate::link::{Act, Severed};
use crate::outcome::{Outcome, chain};
use crate::permit::{Permit, SessionId};
use crate::plane::{Place, Plane, Slot, about};
use crate::refusal::Refusal;
use crate::runtime::{Admission, KeptHome, Reach, Template};
use crate::session::{Session, Stage};
use crate::tether::Tether;
use crate::veil::within;

/// Why a gate that stops opens nothing.
const STOPPING: &str = "the gate is stopping";
/// Why who waited in line is turned away at its end.
const CHANGED: &str = "policy changed while you waited: open it again";

impl Plane {
    pub(crate) async fn try_open(
        self: &Arc<Self>,
        caller: &Caller,
        desktop: &str,
        from: Option<IpAddr>,
    ) -> Result<Arc<Session>, Refusal> {
        if self.is_closing() {
            return Err(Refusal::Busy { reason: STOPPING.into() });
        }
        if !caller.covers(desktop) {
            return Err(Refusal::NotCovered { what: format!("the desktop {desktop:?}") });
        }
        if caller.session().is_some() {
            return Err(Refusal::NotCovered { what: "a new session: it is tied to one that exists".into() });
        }
        let template = self
            .config
            .templates
            .iter()
            .find(|template| template.name == desktop)
            .ok_or_else(|| Refusal::Unknown { what: format!("desktop {desktop:?}") })?;
        let mut permit = self.permit(caller, template, from)?;
        let configured = template;
        let mut template = self.held(&permit, configured)?;
        let place = self.reserve(&permit, &template)?;
        let admission = self.pool.admit(&template, &permit.subject).await;
        let admission = admission.map_err(|full| Refusal::Busy { reason: full.to_string() })?;
        if admission.waited {
            let before = template.home.is_some();
            (permit, template) = self.again(permit.id, caller, configured, from)?;
            if template.home.is_some() && !before {
                // What its place was taken for did not count who else writes into that home.
                return Err(Refusal::Busy { reason: CHANGED.into() });
            }
        }
        let (session, stage) = self.start(&permit, &template, admission).await?;
        // INVARIANT: on the table first, asked then: what is revoked in between is found by one of the two.
        self.insert(&session);
        place.keep();
        if self.is_closing() {
            session.end(Outcome::Stopping);
        }
        if self.is_revoked(&permit) {
            session.end(Outcome::Revoked);
        }
        self.config.journal.note(
            about(&permit),
            What::SessionOpened { desktop: permit.desktop.clone(), runtime: template.kind.runtime().to_owned() },
        );
        let (plane, living) = (Arc::clone(self), Arc::clone(&session));
        self.tasks.spawn(async move { plane.attend(living, stage).await });
        Ok(session)
    }

    /// What is asked again after a wait in line, before a desktop is spent: who waited may have lost what was permitted when the wait began.
    fn again(
        &self,
        id: SessionId,
        caller: &Caller,
        configured: &Template,
        from: Option<IpAddr>,
    ) -> Result<(Permit, Template), Refusal> {
        if self.is_closing() {
            return Err(Refusal::Busy { reason: STOPPING.into() });
        }
        let permit = Permit { id, ..self.permit(caller, configured, from)? };
        if self.is_revoked(&permit) {
            return Err(Refusal::NotCovered { what: "anything any more: it was revoked".into() });
        }
        let template = self.held(&permit, configured)?;
        Ok((permit, template))
    }

    fn permit(&self, caller: &Caller, template: &Template, from: Option<IpAddr>) -> Result<Permit, Refusal> {
        let policies = self.policies();
        let subject = caller.subject();
        let started = OffsetDateTime::now_utc();
        let situation = Situation { subject, desktop: &template.name, at: Some(started.into()), from };
        let verdict = policies.decide(&situation.wants(Action::Open));
        if verdict.effect == Effect::Deny {
            return Err(Refusal::Denied(Box::new(verdict)));
        }
        // A session whose subject may not look on would be a desktop for nobody.
        let watch = policies.decide(&situation.wants(Action::Watch));
        if watch.effect == Effect::Deny {
            return Err(Refusal::Denied(Box::new(watch)));
        }
        let strict = policies.obligations(&situation).mode() == Mode::Strict;
        Ok(Permit {
            id: SessionId::generate(),
            subject: subject.clone(),
            desktop: template.name.clone(),
            title: template.title.clone(),
            verdict,
            from,
            started,
            token: caller.token().map(str::to_owned),
            until: caller.until(),
            strict,
        })
    }

    /// The template as policy lets this session have it: its screen no larger, its reach no further, its home kept or not.
    fn held(&self, permit: &Permit, template: &Template) -> Result<Template, Refusal> {
        let policies = self.policies();
        let owed = policies.obligations(&permit.situation(permit.started.into()));
        let reach = owed.desktop.egress.as_ref().map(|stated| Reach::of(stated.value));
        let template = Template { size: within(&owed.screen, template.size), ..template.clone() };
        let limited = |reason: &str, rule: Option<Rule>| match rule {
            Some(rule) => Refusal::Limited {
                reason: reason.to_owned(),
                rule: Box::new(rule),
                revision: policies.revision().clone(),
            },
            None => failed(reason.to_owned()),
        };
        let rule = owed.desktop.egress.map(|stated| stated.rule);
        let template = template.held_to(reach).map_err(|reason| limited(reason, rule))?;
        match owed.desktop.home {
            Some(Stated { value: Home::Keep, rule }) => {
                let home = KeptHome::of(&permit.subject, &template.name);
                template.keeping(home).map_err(|reason| limited(reason, Some(rule)))
            }
            _ => Ok(template),
        }
    }

    async fn start(
        &self,
        permit: &Permit,
        template: &Template,
        admission: Admission,
    ) -> Result<(Arc<Session>, Stage), Refusal> {
        let mut policies = self.config.policies.clone();
        // Only what came after the permit is a change for this session.
        if *policies.borrow_and_update().revision() != permit.verdict.revision {
            policies.mark_changed();
        }
        let asked = policies.borrow().obligations(&permit.situation(permit.started.into()));
        // INVARIANT: the evidence exists before the desktop is touched.
        let keep = keeping::of_a_new_session(&asked)?;
        let manifest = Manifest {
            keep,
            text: asked.reads_text().then_some(TextTerms::Read),
            ..manifest(permit, self.config.key.kid())
        };
        let bundle = manifest.prefix();
        let recording = Recording::start(
            self.config.recorder.clone(),
            Arc::clone(&self.config.vault),
            Arc::clone(&self.config.key),
            manifest,
            template.size,
        )
        .await
        .map_err(|error| failed(format!("the recording could not be started: {}", error.in_full())))?;
        self.config.aftermath.begun(&bundle);
        let holds = (self.config.bounds, self.crossings(), Arc::clone(&self.config.files));
        let screen = Screen::new(template.size);
        let (session, acts) = Session::new(permit.clone(), policies, recording.clone(), screen, holds);
        let staged = self.stage(&session, template, acts, admission).await;
        match staged {
            Ok(stage) => Ok((session, stage)),
            Err(reason) => {
                let _ = session.note(What::SessionClosed { reason: reason.clone() });
                if let Err(error) = recording.close(&reason).await {
                    tracing::error!(session = %session.id, %error, "the evidence of a failed start could not be sealed");
                }
                self.config.aftermath.sealed(session.id.as_str()).await;
                Err(failed(reason))
            }
        }
    }

    async fn stage(
        &self,
        session: &Arc<Session>,
        template: &Template,
        acts: mpsc::Receiver<Act>,
        admission: Admission,
    ) -> Result<Stage, String> {
        let opened =
            What::SessionOpened { desktop: template.name.clone(), runtime: template.kind.runtime().to_owned() };
        session.note(opened).map_err(|outcome| outcome.to_string())?;
        session.follow_screen().await.map_err(|outcome| outcome.to_string())?;
        let desktop = self.pool.start(template, &session.id, admission).await.map_err(|error| chain(&error))?;
        let identity = desktop.identity();
        session.note_desktop(&identity).map_err(|outcome| outcome.to_string())?;
        session.files.reach(desktop.transfer());
        let linked = async {
            let link = greet(desktop.as_ref(), &self.config.bounds).await?;
            if link.size != template.size {
                session.show(vec![Change::Resize(link.size)]).await?;
            }
            Ok::<_, Severed>(link)
        };
        match linked.await {
            Ok(link) => {
                let tether = Tether::new(link, identity, self.config.absence, self.config.max_fps);
                let way = Way::new(template.egress, template.kind.has_network(), Arc::clone(&self.config.egress));
                Ok(Stage { desktop, tether, acts, reconnect: self.config.reconnect, way })
            }
            Err(severed) => {
                desktop.destroy().await;
                Err(severed.to_string())
            }
        }
    }

    fn reserve(self: &Arc<Self>, permit: &Permit, template: &Template) -> Result<Place, Refusal> {
        let mut table = self.table();
        if table.len() >= self.config.most_sessions {
            return Err(Refusal::Busy { reason: format!("all {} sessions of this gate are in use", table.len()) });
        }
        let own = table.values().filter(|slot| same(slot.subject(), &permit.subject)).count();
        if own >= self.config.most_per_subject {
            return Err(Refusal::Busy { reason: format!("you have {own} sessions open; end one of them first") });
        }
        self.within_count(permit, own)?;
        if template.kind.is_exclusive()
            && let Some(other) = table.values().find(|slot| slot.desktop() == template.name)
        {
            let whose = if same(other.subject(), &permit.subject) { "a session of yours" } else { "another session" };
            return Err(Refusal::Taken { desktop: template.name.clone(), whose });
        }
        // Two desktops that write into one home would spoil it.
        let own = |slot: &&Slot| slot.desktop() == template.name && same(slot.subject(), &permit.subject);
        if template.home.is_some() && table.values().any(|slot| own(&slot)) {
            return Err(Refusal::Taken { desktop: template.name.clone(), whose: "a session of yours" });
        }
        let (subject, desktop) = (permit.subject.clone(), permit.desktop.clone());
        table.insert(permit.id.clone(), Slot::Starting { subject, desktop });
        Ok(Place { plane: Arc::clone(self), id: Some(permit.id.clone()) })
    }
}

fn failed(reason: String) -> Refusal {
    Refusal::Failed { reason }
}

fn manifest(permit: &Permit, kid: &str) -> Manifest {
    Manifest {
        v: VERSION,
        id: permit.id.as_str().to_owned(),
        subject: permit.subject.name.clone(),
        issuer: permit.subject.issuer.clone(),
        groups: permit.subject.groups.clone(),
        desktop: permit.desktop.clone(),
        policy: permit.verdict.revision.to_string(),
        rule: permit.verdict.rule.to_string(),
        started: stamp(permit.started),
        mode: if permit.strict { evidence::Mode::Strict } else { evidence::Mode::BestEffort },
        gate: env!("CARGO_PKG_VERSION").to_owned(),
        key: kid.to_owned(),
        keep: None,
        text: None,
        // The recorder says to whom, where recordings are encrypted.
        recipients: Vec::new(),
    }
}
