<?php
// An application that lets phpCAS, which we did not write, do all of CAS. `/` asks for a login, `/gateway` only whether
// there is one; both say in JSON who is there. Anything posted is a message about a logout.

require_once 'CAS.php';

$issuer = parse_url(getenv('ISSUER'));
phpCAS::client(CAS_VERSION_3_0, $issuer['host'], $issuer['port'], '/cas', getenv('PHP'));
phpCAS::setCasServerCACert(getenv('CA_FILE'));
phpCAS::handleLogoutRequests(false);

if (str_starts_with($_SERVER['REQUEST_URI'], '/gateway')) {
    $is_there = phpCAS::checkAuthentication();
} else {
    phpCAS::forceAuthentication();
    $is_there = true;
}
header('Content-Type: application/json');
echo json_encode($is_there ? ['user' => phpCAS::getUser(), 'attributes' => phpCAS::getAttributes()] : ['user' => null]);
