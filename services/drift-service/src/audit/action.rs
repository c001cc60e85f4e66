/// The actions that the audit log contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(const_into_str)]
pub enum AuditAction {
    #[strum(serialize = "drift.create")]
    DriftCreate,
    /// A drift of the replaced stack was imported.
    #[strum(serialize = "drift.import")]
    DriftImport,
    #[strum(serialize = "drift.update")]
    DriftUpdate,
    #[strum(serialize = "drift.approve")]
    DriftApprove,
    #[strum(serialize = "drift.reject")]
    DriftReject,
    #[strum(serialize = "drift.resolve")]
    DriftResolve,
    #[strum(serialize = "drift.reopen")]
    DriftReopen,
    /// The time of an approval is over.
    #[strum(serialize = "drift.expire")]
    DriftExpire,
    #[strum(serialize = "drift.comment")]
    DriftComment,
    /// A comment was deleted.
    #[strum(serialize = "drift.uncomment")]
    DriftUncomment,
    #[strum(serialize = "drift.supersede")]
    DriftSupersede,
    #[strum(serialize = "drift.delete")]
    DriftDelete,
    #[strum(serialize = "stack.update")]
    StackUpdate,
    #[strum(serialize = "stack.delete")]
    StackDelete,
    #[strum(serialize = "rules.save")]
    RulesSave,
    #[strum(serialize = "rules.restore")]
    RulesRestore,
    #[strum(serialize = "alert.create")]
    AlertCreate,
    #[strum(serialize = "alert.read")]
    AlertRead,
    #[strum(serialize = "alert.close")]
    AlertClose,
    #[strum(serialize = "alert.delete")]
    AlertDelete,
}
