//! Attributes that hold a secret under an ordinary name. driftctl marks no values, and writes the names in
//! Go's form (`Value`).

const SECRET_ATTRIBUTES: [(&str, &[&str]); 31] = [
    ("aws_ssm_parameter", &["value", "value_wo", "insecure_value"]),
    ("aws_secretsmanager_secret_version", &["secret_string", "secret_binary"]),
    ("aws_iam_access_key", &["secret", "ses_smtp_password_v4", "encrypted_secret"]),
    ("aws_iam_server_certificate", &["private_key"]),
    ("aws_acm_certificate", &["private_key"]),
    ("aws_key_pair", &["private_key"]),
    ("aws_lightsail_key_pair", &["private_key"]),
    ("random_password", &["result", "bcrypt_hash"]),
    ("tls_private_key", &["private_key_pem", "private_key_openssh", "private_key_pem_pkcs8"]),
    ("azurerm_key_vault_secret", &["value"]),
    ("azurerm_app_configuration_key", &["value"]),
    ("azurerm_automation_variable_string", &["value"]),
    ("azuread_application_password", &["value"]),
    ("azuread_service_principal_password", &["value"]),
    ("google_secret_manager_secret_version", &["secret_data"]),
    ("google_service_account_key", &["private_key"]),
    ("kubernetes_secret", &["data", "binary_data", "string_data"]),
    ("kubernetes_secret_v1", &["data", "binary_data", "string_data"]),
    ("vault_generic_secret", &["data", "data_json"]),
    ("vault_kv_secret", &["data", "data_json"]),
    ("vault_kv_secret_v2", &["data", "data_json"]),
    ("github_actions_secret", &["plaintext_value", "encrypted_value"]),
    ("github_actions_organization_secret", &["plaintext_value", "encrypted_value"]),
    ("github_actions_environment_secret", &["plaintext_value", "encrypted_value"]),
    ("github_dependabot_secret", &["plaintext_value", "encrypted_value"]),
    ("gitlab_project_variable", &["value"]),
    ("gitlab_group_variable", &["value"]),
    ("local_sensitive_file", &["content", "content_base64"]),
    ("tfe_variable", &["value"]),
    ("heroku_config", &["sensitive_vars", "all_vars"]),
    ("consul_keys", &["value"]),
];

/// Whether an attribute of this type holds a secret.
pub(super) fn is_secret_attribute(resource_type: &str, name: &str) -> bool {
    let same = |listed: &&str| {
        let letters = |text: &str| text.chars().filter(|letter| *letter != '_').collect::<String>();
        letters(listed).eq_ignore_ascii_case(&letters(name))
    };
    SECRET_ATTRIBUTES.iter().any(|(of, names)| *of == resource_type && names.iter().any(same))
}
